import type { Names } from '@hooligram/bus';
import type { Redis } from 'ioredis';

const keptSeconds = 3_600;

/**
 * Marks in Redis, by its place in its entry, each request of a claimed entry while it runs. A marker that another core
 * finds belongs to a request whose core has died or frozen while it ran. Markers are kept for an hour.
 */
export class InProgressMarkers {
  readonly #redis: Redis;
  readonly #names: Pick<Names, 'inProgress'>;

  constructor(redis: Redis, names: Pick<Names, 'inProgress'>) {
    this.#redis = redis;
    this.#names = names;
  }

  async read(entryId: string): Promise<ReadonlySet<number>> {
    return new Set((await this.#redis.smembers(this.#names.inProgress(entryId))).map(Number));
  }

  async add(entryId: string, index: number): Promise<void> {
    const key = this.#names.inProgress(entryId);
    await this.#redis.sadd(key, index);
    await this.#redis.expire(key, keptSeconds);
  }

  async remove(entryId: string, index: number): Promise<void> {
    await this.#redis.srem(this.#names.inProgress(entryId), index);
  }

  async removeAll(entryId: string): Promise<void> {
    await this.#redis.del(this.#names.inProgress(entryId));
  }
}
