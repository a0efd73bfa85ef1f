import { randomUUID } from 'node:crypto';
import type { JobContext } from './job-context.ts';

/**
 * Tells whether Redis was emptied: the first core that finds no epoch there writes a new random one.
 *
 * @throws if Redis was emptied between the write and the read
 */
export async function readRedisEpoch({ redis, names }: Pick<JobContext, 'redis' | 'names'>): Promise<string> {
  await redis.set(names.epoch, randomUUID(), 'NX');
  const epoch = await redis.get(names.epoch);
  if (epoch === null) throw new Error('Redis was emptied a moment ago');
  return epoch;
}

/**
 * The epoch of Redis; those of several, in the order of their list, with spaces between. One that is away was not emptied, as
 * far as anybody knows.
 *
 * @param before what this returned at an earlier time, in some core
 * @throws as `readRedisEpoch`, if there is one Redis
 */
export async function readRedisEpochs(
  { shards, names }: Pick<JobContext, 'shards' | 'names'>,
  before: string | undefined,
): Promise<string> {
  const known = before?.split(' ') ?? [];
  const epochs = await Promise.all(
    shards.states.map(async (state, index) => {
      const redis = shards.at(index)?.redis.command;
      const otherwise = known[index] ?? 'unknown';
      return redis && !state.isAway ? readRedisEpoch({ redis, names }).catch(() => otherwise) : otherwise;
    }),
  );
  return shards.isOne ? readRedisEpoch({ redis: shards.first().redis.command, names }) : epochs.join(' ');
}
