import type { LimitsConfig } from './config.ts';
import { type Counted, consumeAll, giveBackAll, type LimitFactory, waitForAll, waitHere } from './limit.ts';
import { createFirstLimit, createNetworkLimit } from './networks.ts';
import type { Keys, Source } from './source.ts';

/**
 * From which budget a guess is paid: that of everybody, the number's own for the first guess of each network, or its own
 * for networks in which it signed in.
 */
type GuessBudget = 'open' | 'first' | 'reserve';

/** What a guess may cost, or the seconds until one is allowed. */
export type GuessAllowed = { readonly budget: GuessBudget } | { readonly seconds: number };

/**
 * Bounds how often a code may be wrong. It is asked before anything is looked up. Strangers use up their own budget: that
 * of a source, and that of a number for everybody. A number has some for the first guess of each network, and a reserve
 * for networks in which it signed in before, so that strangers do not lock its owner out. Nothing counts for a token.
 */
export type GuessLimits = {
  /**
   * Whether this is the first submission of a code that was sent. Its text has paid for it, so nothing else counts: what
   * strangers guess never stands between the owner of a telephone and the code on it.
   *
   * @param challenge tells this code from all others
   */
  isFirstOfText(challenge: string): Promise<boolean>;
  /** @param isKnown whether the number signed in before in the network of the source; only asked if it matters */
  allow(source: Source, isKnown: () => Promise<boolean>): Promise<GuessAllowed>;
  /**
   * Whether what was found out may be told. A wrong code is counted in the same step: of thousands at once no more than the
   * budget are told. A right one counts nothing.
   *
   * @returns 0, or the seconds until one may be told
   */
  tell(source: Source, budget: GuessBudget, isRight: boolean): Promise<number>;
  /** Counts a guess before it is compared. @returns as `tell` */
  take(source: Source, budget: GuessBudget): Promise<number>;
  /**
   * It was right. What this source got wrong before for the number counts no more for the source; for the number it does.
   *
   * @param isTaken whether this guess itself was counted by `take`
   */
  succeeded(source: Source, budget: GuessBudget, isTaken: boolean): Promise<void>;
};

/** Longer than any code is good. */
const textSeconds = 24 * 60 * 60;

export const unlimitedGuesses: GuessLimits = {
  isFirstOfText: async () => true,
  allow: async () => ({ budget: 'open' }),
  tell: async () => 0,
  take: async () => 0,
  succeeded: async () => {},
};

export function createGuessLimits(config: LimitsConfig, create: LimitFactory, keys: Keys): GuessLimits {
  const number = create('guess_number', config.LIMIT_GUESSES_PER_NUMBER);
  const firstLimit = createFirstLimit(create, 'guess_first', config.LIMIT_GUESSES_FIRST_OF_NETWORK, keys);
  const text = create('guess_text', { points: 1, seconds: textSeconds });
  const reserve = create('guess_reserve', config.LIMIT_GUESSES_RESERVE);
  const pair = create('guess_pair', config.LIMIT_GUESSES_PER_NUMBER_AND_SOURCE);
  const numbers = create('guess_numbers', config.LIMIT_GUESSED_NUMBERS_PER_SOURCE);
  const lookups = create('guess_lookups', config.LIMIT_LOOKUPS_PER_SOURCE);
  const networkLimit = createNetworkLimit(create, 'guess_source', config.LIMIT_GUESSES_PER_SOURCE);

  const networks = (source: Source): Counted[] => networkLimit(keys.networks(source));
  const pairs = (source: Source): Counted[] =>
    source.address ? [{ limit: pair, key: keys.pair(source) }] : [];
  // The number comes last: a source that is refused already must not use up what others have.
  function all(source: Source, budget: GuessBudget): Counted[] {
    const key = keys.number(source);
    if (budget === 'reserve') return [{ limit: reserve, key }];
    const last = budget === 'first' ? firstLimit(source) : undefined;
    return [...networks(source), ...pairs(source), ...(last ?? [{ limit: number, key }])];
  }

  /** A source that has failed for many numbers may only go on with those. */
  async function waitForNumber(source: Source): Promise<number> {
    const [narrowest] = keys.networks(source);
    if (!narrowest) return 0;
    const seconds = await numbers.wait(narrowest);
    return seconds > 0 && (await pair.used(keys.pair(source))) === 0 ? seconds : 0;
  }

  async function waitForSource(source: Source): Promise<number> {
    const [narrowest] = keys.networks(source);
    const ofNumbers = narrowest === undefined ? 0 : numbers.waitHere(narrowest);
    // About a further number of such a source nothing else has to be asked.
    if (ofNumbers > 0 && (await pair.used(keys.pair(source))) === 0) return ofNumbers;
    const seconds = await waitForAll([...networks(source), ...pairs(source)]);
    return seconds > 0 ? seconds : waitForNumber(source);
  }

  async function countNumber(source: Source): Promise<void> {
    const [narrowest] = keys.networks(source);
    if (narrowest && (await pair.used(keys.pair(source))) === 1) await numbers.penalize(narrowest);
  }

  const limits: GuessLimits = {
    async isFirstOfText(challenge) {
      const key = keys.of('challenge', challenge);
      return (await text.used(key)) === 0 && (await text.consume(key)) === 0;
    },
    async allow(source, isKnown) {
      const key = keys.number(source);
      const first = firstLimit(source);
      // All that strangers share of this number is used up: what the source has left does not matter.
      const ofNumber = waitHere([{ limit: number, key }]);
      const isUsedUp = ofNumber > 0 && (!first || waitHere(first) > 0);
      const ofSource = isUsedUp ? 0 : await waitForSource(source);
      const seconds = ofSource || ofNumber || (await number.wait(key));
      if (seconds === 0) return { budget: 'open' };
      if (!isUsedUp && ofSource === 0 && first && (await waitForAll(first)) === 0) return { budget: 'first' };
      const [narrowest] = keys.networks(source);
      if (!narrowest || (await lookups.consume(narrowest)) > 0 || !(await isKnown())) return { seconds };
      const reserveSeconds = await waitForAll(all(source, 'reserve'));
      return reserveSeconds > 0 ? { seconds: reserveSeconds } : { budget: 'reserve' };
    },
    async tell(source, budget, isRight) {
      return isRight ? waitForAll(all(source, budget)) : limits.take(source, budget);
    },
    async take(source, budget) {
      const seconds = await consumeAll(all(source, budget));
      if (seconds === 0 && budget !== 'reserve') await countNumber(source);
      return seconds;
    },
    async succeeded(source, budget, isTaken) {
      if (isTaken) await giveBackAll(all(source, budget));
      const [narrowest] = keys.networks(source);
      if (budget === 'reserve' || !narrowest) return;
      const before = await pair.used(keys.pair(source));
      if (before > 0) await giveBackAll([...networks(source), ...pairs(source)], before);
      if (before > 0 || isTaken) await numbers.giveBack(narrowest);
    },
  };
  return limits;
}
