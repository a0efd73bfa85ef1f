import type { Keys } from '@hooligram/bus';
import type { Redis } from 'ioredis';

const keptSeconds = 3_600;

export type InProgressMarkers = ReturnType<typeof createInProgressMarkers>;

/**
 * Marks in Redis, by its place in its entry, each request of a claimed entry while it runs. A marker that another core
 * finds belongs to a request whose core has died or frozen while it ran. Markers are kept for an hour.
 */
export function createInProgressMarkers(
  redis: Redis,
  { inProgress, refused }: Pick<Keys, 'inProgress' | 'refused'>,
) {
  return {
    read: async (entryId: string) => new Set((await redis.smembers(inProgress(entryId))).map(Number)),
    /** The ids of the requests of an entry that were answered with a refusal: see `BusPublisher.refuse`. */
    readRefused: async (entryId: string) => new Set(await redis.smembers(refused(entryId))),
    async add(entryId: string, index: number) {
      await redis.sadd(inProgress(entryId), index);
      await redis.expire(inProgress(entryId), keptSeconds);
    },
    remove: (entryId: string, index: number) => redis.srem(inProgress(entryId), index),
    removeAll: (entryId: string) => redis.del(inProgress(entryId)),
  };
}
