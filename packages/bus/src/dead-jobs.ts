import type { Redis } from 'ioredis';

/**
 * How many dead letters some queues keep, without BullMQ, which takes longer to load than this takes. Its documentation
 * names no keys: a test compares this with what BullMQ counts.
 *
 * @param prefix of all keys of the queues: `Names.queues`
 */
export async function countDeadJobs(
  redis: Redis,
  prefix: string,
  queues: readonly string[],
): Promise<number> {
  const counts = await Promise.all(queues.map((queue) => redis.zcard(`${prefix}:${queue}:failed`)));
  return counts.reduce((sum, count) => sum + count, 0);
}
