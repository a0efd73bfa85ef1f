import type { Redis } from 'ioredis';
import { takeDueLua } from './due-set.lua.ts';

type Taking = Redis & {
  takeDue(waiting: string, taken: string, until: number, max: number): Promise<string[]>;
};

/** Sends commands on a connection to the same Redis. @returns their answers, texts as bytes @throws the first error among them */
type Ask = (commands: readonly (readonly string[])[]) => Promise<unknown[]>;

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
  readonly #ask: Ask;

  /**
   * @param redis a connection of the role `command`; every method rejects while it is away
   * @param ask adds ids: with every message to a quiet group, so it leaves with what else leaves then
   */
  constructor(redis: Redis, key: string, ask: Ask) {
    redis.defineCommand('takeDue', { numberOfKeys: 2, lua: takeDueLua });
    this.#redis = redis as Taking;
    this.#key = key;
    this.#ask = ask;
  }

  /**
   * An id that waits already is due when it was, or at `dueAt` if that is sooner.
   *
   * @returns when each is due now; 0 for one that was taken a moment later
   */
  async add(ids: readonly number[], dueAt: number): Promise<number[]> {
    const [, scores] = await this.#ask([
      ['ZADD', this.#key, 'LT', ...ids.flatMap((id) => [String(dueAt), String(id)])],
      ['ZMSCORE', this.#key, ...ids.map(String)],
    ]);
    return (scores as (Buffer | null)[]).map((score) => (score === null ? 0 : Number(score.toString())));
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
