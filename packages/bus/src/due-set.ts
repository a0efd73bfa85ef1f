import type { Redis } from 'ioredis';
import { takeDueLua } from './due-set.lua.ts';

type Taking = Redis & {
  takeDue(waiting: string, taken: string, until: number, max: number): Promise<string[]>;
};

/**
 * Ids in Redis, each with the moment at which it is due, in milliseconds since the epoch by Redis's clock.
 *
 * Guarantee: an id that was added is taken, once it is due, by whoever takes next, and stays with that job until the
 * job has finished it: a job that dies finds in its next run what it had taken. An id that is added meanwhile waits for
 * its own moment.
 */
export class DueSet {
  readonly #redis: Taking;
  readonly #key: string;

  /** @param redis a connection of the role `command`; every method rejects while it is away */
  constructor(redis: Redis, key: string) {
    redis.defineCommand('takeDue', { numberOfKeys: 2, lua: takeDueLua });
    this.#redis = redis as Taking;
    this.#key = key;
  }

  /**
   * An id that waits already is due when it was, or at `dueAt` if that is sooner.
   *
   * @returns when each is due now; 0 for one that was taken a moment later
   */
  async add(ids: readonly number[], dueAt: number): Promise<number[]> {
    const pipeline = this.#redis.pipeline();
    pipeline.zadd(this.#key, 'LT', ...ids.flatMap((id) => [dueAt, id]));
    pipeline.zmscore(this.#key, ...ids);
    const [[addError], [scoresError, scores]] = (await pipeline.exec()) as [
      [Error | null],
      [Error | null, (string | null)[]],
    ];
    if (addError || scoresError) throw addError ?? scoresError;
    return scores.map(Number);
  }

  /**
   * Takes ids that are due at `until`, the earliest first.
   *
   * @param job its name: the same in every run of it
   * @returns at most `max` ids; none if none is due
   */
  async take(job: string, until: number, max: number): Promise<number[]> {
    const ids = await this.#redis.takeDue(this.#key, this.#takenBy(job), Math.floor(until), max);
    return ids.map(Number);
  }

  /** The job need not see these ids again. */
  async finish(job: string, ids: readonly number[]): Promise<void> {
    await this.#redis.srem(this.#takenBy(job), ...ids);
  }

  #takenBy(job: string): string {
    return `${this.#key}:${job}`;
  }
}
