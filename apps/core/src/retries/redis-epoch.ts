import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';

/**
 * Which memory of Redis this is: a name that whoever finds none gives it, and that is lost with everything else.
 */
export async function readEpoch({ redis, names }: Pick<Context, 'redis' | 'names'>): Promise<string> {
  await redis.set(names.epoch, randomUUID(), 'NX');
  const epoch = await redis.get(names.epoch);
  if (epoch === null) throw new Error('Redis lost its memory a moment ago');
  return epoch;
}
