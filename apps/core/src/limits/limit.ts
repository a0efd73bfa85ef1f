import { LimitReport, type Log, type Metrics, networkOf, type Rate, within } from '@hooligram/service';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Shard } from '../shards/shard.ts';
import { MemoryLimiter } from './memory-limiter.ts';

/** One Redis, as far as limits are concerned. */
export type CountingShard = {
  readonly redis: Pick<Shard['redis'], 'command'>;
  readonly names: Pick<Shard['names'], 'limits'>;
};

export type LimitOptions = {
  /**
   * Where a key counts, of several Redis; undefined if that was not yet reached. Should fail commands rather than queue
   * them while it is not connected.
   */
  readonly shardOf: (key: string) => CountingShard | undefined;
  readonly metrics: Pick<Metrics, 'counter'>;
  readonly log: Log;
};

/**
 * Points of many keys against one rate. They are counted twice: in Redis, for all cores together, and in this process;
 * a request that is allowed has a point left in both. So no process allows more than the rate, whether Redis answers or
 * not and however many requests come at once; without Redis, each core does so for itself. A request within the rate is
 * never refused. Nothing here rejects.
 */
export type Limit = {
  readonly name: LimitName;
  /** Consumes a point, if there is one left. @returns 0, or the seconds until there is one */
  consume(key: string): Promise<number>;
  /** The first half of `consume`: in this process, at once. @returns as `consume` */
  consumeHere(key: string): number;
  /** The second half: for all cores together. Gives the first half back if there is no point left. @returns as `consume` */
  consumeShared(key: string): Promise<number>;
  /** Gives the first half back. */
  giveBackHere(key: string): void;
  /** @returns 0 if there is a point left, or the seconds until there is one */
  wait(key: string): Promise<number>;
  /** The first half of `wait`: as far as this process knows, at once. */
  waitHere(key: string): number;
  /** Consumes a point, left or not. */
  penalize(key: string): Promise<void>;
  /** Gives points back, at most those that were consumed. */
  giveBack(key: string, points?: number): Promise<void>;
  /** How many points were consumed; by this process alone while Redis does not say. */
  used(key: string): Promise<number>;
};

/** Beyond this, Redis counts as not answering. */
const replyTimeoutMs = 500;

const limitNames = [
  'guess_number',
  'guess_first',
  'guess_first_network',
  'guess_reserve',
  'guess_pair',
  'guess_numbers',
  'guess_lookups',
  'guess_text',
  'guess_source',
  'guess_source_network_1',
  'guess_source_network_2',
  'text_number',
  'text_first',
  'text_first_network',
  'text_reserve',
  'text_pair',
  'text_source',
  'text_source_network_1',
  'text_source_network_2',
  'text_prefix',
  'text_country_code',
  'text_total',
  'text_unconverted',
  'text_converts',
] as const;
export type LimitName = (typeof limitNames)[number];

/** @param variant of several rates under one name */
export type LimitFactory = (name: LimitName, rate: Rate, variant?: string) => Limit;

/** The limit that stands in the way, and in how many seconds it does no more. */
export type UsedUp = { readonly limit: LimitName; readonly seconds: number };

/**
 * Counts and logs a request that is refused: once, whatever other limits it met.
 * @param address where it came from; empty if that is not known
 */
export type Refuse = (usedUp: UsedUp, address: string) => { readonly seconds: number };

/** What was counted for something that has not been done yet. */
export type Taken = { giveBack(): Promise<void> };

export const nothingTaken: Taken = { giveBack: async () => {} };

/**
 * Does what this was taken for, and gives it back if that fails: it is run again.
 * @throws what it threw
 */
export async function orGiveBack<T>(taken: Taken, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    await taken.giveBack();
    throw error;
  }
}

export function createLimitMetrics(metrics: Pick<Metrics, 'counter'>) {
  return {
    refused: metrics.counter(
      'limits_refused_total',
      'Requests that were refused, each once, by a limit that had no points left',
      { limit: limitNames },
    ),
    skipped: metrics.counter(
      'limits_skipped_total',
      'Limits applied by one core for itself because Redis did not answer',
      { limit: limitNames },
    ),
  };
}

export function createLimitFactory({ shardOf, metrics, log }: LimitOptions): {
  create: LimitFactory;
  refuse: Refuse;
} {
  const { refused, skipped } = createLimitMetrics(metrics);
  const report = new LimitReport<LimitName>(refused, log);

  const refuse: Refuse = ({ limit, seconds }, address) => {
    report.add(limit, networkOf(address) || 'unknown');
    return { seconds };
  };

  const create: LimitFactory = (limit, rate, variant = '') => {
    const { points, seconds } = rate;
    const memory = new MemoryLimiter(rate);
    const limiters = new Map<Redis, RateLimiterRedis>();

    /** @throws if the key's Redis is not there */
    function limiterOf(key: string): RateLimiterRedis {
      const shard = shardOf(key);
      if (!shard) throw new Error('not connected to Redis');
      const redis = shard.redis.command;
      const known = limiters.get(redis);
      if (known) return known;
      const limiter = new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: `${shard.names.limits}:${limit}${variant}`,
        points,
        duration: seconds,
        rejectIfRedisNotReady: true,
      });
      limiters.set(redis, limiter);
      return limiter;
    }

    async function replyOr<T>(
      otherwise: T,
      key: string,
      ask: (shared: RateLimiterRedis) => Promise<T>,
    ): Promise<T> {
      try {
        return await within(replyTimeoutMs, ask(limiterOf(key)));
      } catch (err) {
        skipped.inc({ limit });
        log.debug({ err, limit }, 'limit applied by this process alone');
        return otherwise;
      }
    }

    const one: Limit = {
      name: limit,
      // In memory first: of thousands at once, no more go to Redis than could be allowed.
      consume: async (key) => one.consumeHere(key) || one.consumeShared(key),
      consumeHere(key) {
        const waitMs = memory.waitMs(key);
        if (waitMs === 0) memory.consume(key);
        return inSeconds(waitMs);
      },
      giveBackHere: (key) => memory.giveBack(key),
      async consumeShared(key) {
        const sharedMs = await replyOr(0, key, (shared) =>
          shared.consume(key).then(() => 0, waitOfExhausted),
        );
        if (sharedMs > 0) memory.giveBack(key);
        return inSeconds(sharedMs);
      },
      waitHere: (key) => inSeconds(memory.waitMs(key)),
      async wait(key) {
        const here = one.waitHere(key);
        if (here > 0) return here;
        const waitMs = await replyOr(0, key, async (shared) => {
          const used = await shared.get(key);
          return used && used.consumedPoints >= points ? waitOf(used) : 0;
        });
        return inSeconds(waitMs);
      },
      async penalize(key) {
        memory.consume(key);
        await replyOr<unknown>(undefined, key, (shared) => shared.penalty(key));
      },
      async giveBack(key, given = 1) {
        memory.giveBack(key, given);
        await replyOr<unknown>(undefined, key, async (shared) => {
          const used = await shared.get(key);
          const back = Math.min(given, used?.consumedPoints ?? 0);
          if (back > 0) await shared.reward(key, back);
        });
      },
      used: async (key) => {
        const used = await replyOr(0, key, async (shared) => (await shared.get(key))?.consumedPoints ?? 0);
        return Math.max(memory.used(key), used);
      },
    };
    return one;
  };
  return { create, refuse };
}

function inSeconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}

/** One limit for each of the rates under one name; all of them have to have room. */
export function createLimits(create: LimitFactory, name: LimitName, rates: readonly Rate[]): Limit[] {
  return rates.map((rate) => create(name, rate, `_${rate.seconds}`));
}

/** A key under which a limit counts. */
export type Counted = { readonly limit: Limit; readonly key: string };

/**
 * Consumes a point of each, or of none. In this process that happens at once: what is looked at behind it sees all of it.
 *
 * @returns one that has none left, or how to give the points back
 */
export async function consumeAll(all: readonly Counted[]): Promise<Taken | UsedUp> {
  for (const [index, { limit, key }] of all.entries()) {
    const seconds = limit.consumeHere(key);
    if (seconds === 0) continue;
    for (const taken of all.slice(0, index)) taken.limit.giveBackHere(taken.key);
    return { limit: limit.name, seconds };
  }
  for (const [index, { limit, key }] of all.entries()) {
    const seconds = await limit.consumeShared(key);
    if (seconds === 0) continue;
    for (const taken of all.slice(index + 1)) taken.limit.giveBackHere(taken.key);
    await giveBackAll(all.slice(0, index));
    return { limit: limit.name, seconds };
  }
  return { giveBack: () => giveBackAll(all) };
}

export async function giveBackAll(all: readonly Counted[], points = 1): Promise<void> {
  await Promise.all(all.map(({ limit, key }) => limit.giveBack(key, points)));
}

/** @returns as `waitForAll`, as far as this process knows */
export function waitHere(all: readonly Counted[]): UsedUp | undefined {
  return longest(all.map(({ limit, key }) => ({ limit: limit.name, seconds: limit.waitHere(key) })));
}

/**
 * Redis is asked only where this process does not know of a limit that is used up: a refusal is to cost little.
 *
 * @returns undefined if each has a point left, or the one that has none for the longest time
 */
export async function waitForAll(all: readonly Counted[]): Promise<UsedUp | undefined> {
  const here = waitHere(all);
  if (here) return here;
  return longest(
    await Promise.all(
      all.map(async ({ limit, key }) => ({ limit: limit.name, seconds: await limit.wait(key) })),
    ),
  );
}

function longest(all: readonly UsedUp[]): UsedUp | undefined {
  const [first] = all.filter(({ seconds }) => seconds > 0).sort((a, b) => b.seconds - a.seconds);
  return first;
}

/** The library rejects with its result when no point is left, and with an Error when Redis fails. */
function waitOfExhausted(reason: unknown): number {
  if (reason instanceof RateLimiterRes) return waitOf(reason);
  throw reason;
}

function waitOf({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, msBeforeNext);
}
