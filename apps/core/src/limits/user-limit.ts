import { type Log, type Rate, within } from '@hooligram/service';
import type { Redis } from 'ioredis';

/** Beyond this, Redis counts as not answering. */
const replyTimeoutMs = 500;

export type UserLimitStores = {
  /** Where a user's points count, of several Redis; undefined if that was not yet reached. */
  readonly redisOf: (userId: number) => Redis | undefined;
  readonly log: Log;
};

/**
 * Points that users have in a window of time, which begins with the first of them; counted in Redis for all cores. While
 * Redis does not answer, nothing is refused: no request comes then either.
 */
export class UserLimit {
  readonly #redisOf: (userId: number) => Redis | undefined;
  readonly #keyPrefix: string;
  readonly #rate: Rate;
  readonly #log: Log;

  /** @param keyPrefix first part of its keys, up to the user's id */
  constructor({ redisOf, log }: UserLimitStores, keyPrefix: string, rate: Rate) {
    this.#redisOf = redisOf;
    this.#log = log;
    this.#keyPrefix = keyPrefix;
    this.#rate = rate;
  }

  /** Takes so many points, or none of them. @returns undefined, or in how many seconds there are new ones */
  async take(userId: number, points: number): Promise<number | undefined> {
    if (points === 0) return undefined;
    const key = `${this.#keyPrefix}:${userId}`;
    const redis = this.#redisOf(userId);
    const { used, ttlMs } = await this.#count(redis, key, points);
    if (used <= this.#rate.points) return undefined;
    void redis?.decrby(key, points).catch(() => {});
    return ttlMs / 1_000;
  }

  /** Counts so many points. @returns how many that makes in this window, 0 if that is not known */
  async add(userId: number, points: number): Promise<number> {
    return (await this.#count(this.#redisOf(userId), `${this.#keyPrefix}:${userId}`, points)).used;
  }

  async #count(
    redis: Redis | undefined,
    key: string,
    points: number,
  ): Promise<{ used: number; ttlMs: number }> {
    if (!redis) return { used: 0, ttlMs: 0 };
    try {
      const replies = await within(
        replyTimeoutMs,
        redis.multi().set(key, 0, 'EX', this.#rate.seconds, 'NX').incrby(key, points).pttl(key).exec(),
      );
      return { used: Number(replies?.[1]?.[1] ?? 0), ttlMs: Number(replies?.[2]?.[1] ?? 0) };
    } catch (err) {
      this.#log.debug({ err }, 'limit not counted');
      return { used: 0, ttlMs: 0 };
    }
  }
}
