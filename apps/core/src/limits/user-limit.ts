import { type Log, type Rate, within } from '@hooligram/service';
import type { CountingShard } from './limit.ts';

/** Beyond this, Redis counts as not answering. */
const replyTimeoutMs = 500;

/**
 * KEYS[1] where a user's points count, ARGV[1] so many. The window in which they were taken may have ended, and the next one
 * have begun with less: below zero, a user could do more.
 */
const giveBackLua = `
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
if used > 0 then redis.call('DECRBY', KEYS[1], math.min(used, ARGV[1])) end`;

export type UserLimitStores = {
  /** Where a user's points count, of several Redis; undefined if that was not yet reached. */
  readonly shardOf: (userId: number) => CountingShard | undefined;
  readonly log: Log;
};

/**
 * Points that users have in a window of time, which begins with the first of them; counted in Redis for all cores. While
 * Redis does not answer, nothing is refused: no request comes then either.
 */
export class UserLimit {
  readonly #shardOf: (userId: number) => CountingShard | undefined;
  readonly #name: string;
  readonly #rate: Rate;
  readonly #log: Log;

  constructor({ shardOf, log }: UserLimitStores, name: string, rate: Rate) {
    this.#shardOf = shardOf;
    this.#log = log;
    this.#name = name;
    this.#rate = rate;
  }

  /** Takes so many points, or none of them. @returns undefined, or in how many seconds there are new ones */
  async take(userId: number, points: number): Promise<number | undefined> {
    if (points === 0) return undefined;
    const shard = this.#shardOf(userId);
    const { used, ttlMs } = await this.#count(shard, userId, points);
    if (used <= this.#rate.points) return undefined;
    this.giveBack(userId, points);
    return ttlMs / 1_000;
  }

  /** Gives points back that were taken a moment ago. */
  giveBack(userId: number, points: number): void {
    const shard = this.#shardOf(userId);
    if (!shard || points === 0) return;
    const key = this.#keyOf(shard, userId);
    void shard.redis.command.eval(giveBackLua, 1, key, points).catch(() => {});
  }

  /** Counts so many points. @returns how many that makes in this window, 0 if that is not known */
  async add(userId: number, points: number): Promise<number> {
    return (await this.#count(this.#shardOf(userId), userId, points)).used;
  }

  async #count(
    shard: CountingShard | undefined,
    userId: number,
    points: number,
  ): Promise<{ used: number; ttlMs: number }> {
    if (!shard) return { used: 0, ttlMs: 0 };
    const key = this.#keyOf(shard, userId);
    try {
      const replies = await within(
        replyTimeoutMs,
        shard.redis.command
          .multi()
          .set(key, 0, 'EX', this.#rate.seconds, 'NX')
          .incrby(key, points)
          .pttl(key)
          .exec(),
      );
      return { used: Number(replies?.[1]?.[1] ?? 0), ttlMs: Number(replies?.[2]?.[1] ?? 0) };
    } catch (err) {
      this.#log.debug({ err }, 'limit not counted');
      return { used: 0, ttlMs: 0 };
    }
  }

  #keyOf({ names }: CountingShard, userId: number): string {
    return `${names.limits}:${this.#name}:${userId}`;
  }
}
