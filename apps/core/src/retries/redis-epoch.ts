import { randomUUID } from 'node:crypto';
import type { Shard } from '../shards/shard.ts';
import type { JobContext } from './job-context.ts';

/**
 * Tells whether Redis was emptied: the first core that finds no epoch there writes a new random one.
 *
 * @throws if Redis was emptied between the write and the read
 */
export async function readRedisEpoch({ redis, keys }: Pick<JobContext, 'redis' | 'keys'>): Promise<string> {
  await redis.set(keys.epoch, randomUUID(), 'NX');
  const epoch = await redis.get(keys.epoch);
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
  { shards }: Pick<JobContext, 'shards'>,
  before: string | undefined,
): Promise<string> {
  const known = before?.split(' ') ?? [];
  const epochs = await Promise.all(
    shards.states.map(async (state, index) => {
      const shard = shards.at(index);
      const otherwise = known[index] ?? 'unknown';
      return shard && !state.isAway ? readEpochOf(shard).catch(() => otherwise) : otherwise;
    }),
  );
  return shards.isOne ? readEpochOf(shards.first()) : epochs.join(' ');
}

function readEpochOf({ redis, names }: Shard): Promise<string> {
  return readRedisEpoch({ redis: redis.command, keys: names });
}
