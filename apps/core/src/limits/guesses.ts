import type { LimitsConfig } from './config.ts';
import {
  type Counted,
  consumeAll,
  giveBackAll,
  type LimitFactory,
  nothingTaken,
  type Refuse,
  type Taken,
  type UsedUp,
  waitForAll,
  waitHere,
} from './limit.ts';
import { createFirstLimit, createNetworkLimit } from './networks.ts';
import type { Keys, Source } from './source.ts';

/**
 * From which budget a guess is paid: that of everybody, the number's own for the first guess of each network, or its own
 * for networks in which it signed in.
 */
export type GuessBudget = 'open' | 'first' | 'reserve';

type Refused = { readonly seconds: number };

/** What a guess may cost, or the seconds until one is allowed. */
export type GuessAllowed = { readonly budget: GuessBudget } | Refused;

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
   * @returns undefined if there was one before, or how to give it back if the code was not compared
   */
  takeFirstOfText(challenge: string): Promise<Taken | undefined>;
  /** @param isKnown whether the number signed in before in the network of the source; only asked if it matters */
  allow(source: Source, isKnown: () => Promise<boolean>): Promise<GuessAllowed>;
  /**
   * Whether what was found out may be told. A wrong code is counted in the same step: of thousands at once no more than the
   * budget are told. A right one counts nothing.
   *
   * @returns how to give that back if it was not told, or the seconds until one may be told
   */
  tell(source: Source, budget: GuessBudget, isRight: boolean): Promise<Taken | Refused>;
  /** Counts a guess before it is compared. @returns as `tell` */
  take(source: Source, budget: GuessBudget): Promise<Taken | Refused>;
  /**
   * It was right, and a guess that was taken for it has been given back. What this source got wrong before for the number
   * counts no more for the source; for the number it does.
   */
  succeeded(source: Source, budget: GuessBudget): Promise<void>;
};

/** Longer than any code is good. */
const textSeconds = 24 * 60 * 60;

export const unlimitedGuesses: GuessLimits = {
  takeFirstOfText: async () => nothingTaken,
  allow: async () => ({ budget: 'open' }),
  tell: async () => nothingTaken,
  take: async () => nothingTaken,
  succeeded: async () => {},
};

export function createGuessLimits(
  config: LimitsConfig,
  create: LimitFactory,
  refuse: Refuse,
  keys: Keys,
): GuessLimits {
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
  async function waitForNumber(source: Source): Promise<UsedUp | undefined> {
    const [key] = keys.networks(source);
    if (key === undefined) return undefined;
    const ofNumbers = await waitForAll([{ limit: numbers, key }]);
    return ofNumbers && (await pair.used(keys.pair(source))) === 0 ? ofNumbers : undefined;
  }

  async function waitForSource(source: Source): Promise<UsedUp | undefined> {
    const [key] = keys.networks(source);
    const ofNumbers = key === undefined ? undefined : waitHere([{ limit: numbers, key }]);
    // About a further number of such a source nothing else has to be asked.
    if (ofNumbers && (await pair.used(keys.pair(source))) === 0) return ofNumbers;
    return (await waitForAll([...networks(source), ...pairs(source)])) ?? waitForNumber(source);
  }

  /** The first guess of a source at a number counts for its numbers. @returns how to give that back */
  async function countNumber(source: Source): Promise<Taken> {
    const [narrowest] = keys.networks(source);
    if (!narrowest || (await pair.used(keys.pair(source))) !== 1) return nothingTaken;
    await numbers.penalize(narrowest);
    return { giveBack: () => numbers.giveBack(narrowest) };
  }

  const limits: GuessLimits = {
    async takeFirstOfText(challenge) {
      const key = keys.of('challenge', challenge);
      if ((await text.used(key)) > 0 || (await text.consume(key)) > 0) return undefined;
      return { giveBack: () => text.giveBack(key) };
    },
    async allow(source, isKnown) {
      const key = keys.number(source);
      const first = firstLimit(source);
      // All that strangers share of this number is used up: what the source has left does not matter.
      const ofNumber = waitHere([{ limit: number, key }]);
      const isUsedUp = ofNumber !== undefined && (!first || waitHere(first) !== undefined);
      const ofSource = isUsedUp ? undefined : await waitForSource(source);
      const usedUp = ofSource ?? ofNumber ?? (await waitForAll([{ limit: number, key }]));
      if (!usedUp) return { budget: 'open' };
      if (!isUsedUp && !ofSource && first && !(await waitForAll(first))) return { budget: 'first' };
      const [narrowest] = keys.networks(source);
      if (!narrowest) return refuse(usedUp, source.address);
      if ((await lookups.consume(narrowest)) > 0) {
        return refuse({ limit: lookups.name, seconds: usedUp.seconds }, source.address);
      }
      if (!(await isKnown())) return refuse(usedUp, source.address);
      const ofReserve = await waitForAll(all(source, 'reserve'));
      return ofReserve ? refuse(ofReserve, source.address) : { budget: 'reserve' };
    },
    async tell(source, budget, isRight) {
      if (!isRight) return limits.take(source, budget);
      const usedUp = await waitForAll(all(source, budget));
      return usedUp ? refuse(usedUp, source.address) : nothingTaken;
    },
    async take(source, budget) {
      const taken = await consumeAll(all(source, budget));
      if ('seconds' in taken) return refuse(taken, source.address);
      const ofNumber = budget === 'reserve' ? nothingTaken : await countNumber(source);
      let isBack = false;
      return {
        async giveBack() {
          if (isBack) return;
          isBack = true;
          await Promise.all([taken.giveBack(), ofNumber.giveBack()]);
        },
      };
    },
    async succeeded(source, budget) {
      const [narrowest] = keys.networks(source);
      if (budget === 'reserve' || !narrowest) return;
      const before = await pair.used(keys.pair(source));
      if (before === 0) return;
      await giveBackAll([...networks(source), ...pairs(source)], before);
      await numbers.giveBack(narrowest);
    },
  };
  return limits;
}
