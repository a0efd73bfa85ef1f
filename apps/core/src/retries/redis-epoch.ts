import { randomUUID } from 'node:crypto';
import type { JobContext } from './job-context.ts';

/**
 * Tells whether Redis was emptied: the first core that finds no epoch there writes a new random one.
 *
 * @throws if Redis was emptied between the write and the read
 */
export async function readRedisEpoch({ redis, names }: JobContext): Promise<string> {
  await redis.set(names.epoch, randomUUID(), 'NX');
  const epoch = await redis.get(names.epoch);
  if (epoch === null) throw new Error('Redis was emptied a moment ago');
  return epoch;
}
