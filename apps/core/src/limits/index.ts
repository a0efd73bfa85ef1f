import type { Credentials } from '../verification/credential.ts';
import { networksOf } from './address.ts';
import type { LimitsConfig } from './config.ts';
import { createGuessLimits, type GuessLimits, unlimitedGuesses } from './guesses.ts';
import { createLimitFactory, type LimitOptions } from './limit.ts';
import type { Keys } from './source.ts';
import { createTextLimits, type TextLimits, unlimitedTexts } from './texts.ts';

/**
 * Protects a public system from clients that request thousands of texts, from clients that guess codes, and users from
 * strangers who would lock them out. An outage of the limits must not become one of the chat: while Redis does not
 * answer in time, each core counts for itself. So n cores together allow at most n times a limit, and one core never
 * more than the limit. A core that starts then knows nothing of what was allowed before.
 */
export type Limits = {
  readonly guesses: GuessLimits;
  readonly texts: TextLimits;
};

const unlimited: Limits = {
  guesses: unlimitedGuesses,
  texts: unlimitedTexts,
};

export function createLimits(
  config: LimitsConfig,
  credentials: Pick<Credentials, 'pseudonym'>,
  options: LimitOptions,
): Limits {
  if (!config.LIMITS_ENABLED) return unlimited;
  const { create, refuse } = createLimitFactory(options);
  const of = (...parts: readonly string[]) => credentials.pseudonym('limit', ...parts);
  const keys: Keys = {
    of,
    number: ({ sid }) => of(sid),
    networks: ({ address }) => networksOf(address).map((network) => of(network)),
    pair: ({ sid, address }) => of(sid, networksOf(address)[0] ?? ''),
    widePair({ sid, address }) {
      const widest = networksOf(address).at(-1);
      return widest === undefined ? undefined : of(sid, widest);
    },
  };
  return {
    guesses: createGuessLimits(config, create, refuse, keys),
    texts: createTextLimits(config, create, refuse, keys),
  };
}
