import type { Names } from '@hooligram/bus';
import type { Queues } from '@hooligram/bus/queues';
import { withoutPasswords } from '@hooligram/service';
import { type Place, shardsOf } from '../config.ts';
import { exitCodes, Refusal } from '../program.ts';
import { openQueuesOn } from './queues.ts';
import { openRedis, type Redis } from './redis.ts';

/** One of the Redis of a system, which answers. */
export type Shard = {
  /** Which one of REDIS_URL, from 0 on. */
  readonly index: number;
  readonly place: Place;
  readonly redis: Redis;
  readonly names: Names;
};

export type Shards = {
  /** Those that answer, at least one, in the order of REDIS_URL. */
  readonly working: readonly Shard[];
  /** A line for each that does not. */
  readonly away: readonly string[];
};

/**
 * Lends a connection to each Redis of a system that answers.
 * @throws Refusal if none does
 */
export async function withShards<T>(place: Place, use: (shards: Shards) => Promise<T>): Promise<T> {
  const opened = await Promise.allSettled(shardsOf(place).map(openRedis));
  const working: Shard[] = [];
  const away: string[] = [];
  for (const [index, one] of shardsOf(place).entries()) {
    const result = opened[index] as PromiseSettledResult<{ redis: Redis; names: Names }>;
    if (result.status === 'fulfilled') working.push({ index, place: one, ...result.value });
    else away.push(lineOf(place, one, result.reason as Error));
  }
  try {
    if (working.length === 0) throw new Refusal(away.join('; '), exitCodes.unreachable);
    return await use({ working, away });
  } finally {
    for (const { redis } of working) redis.disconnect();
  }
}

/** Lends the queues of the jobs on each Redis that answers. */
export function withShardQueues<T>(
  place: Place,
  use: (shards: readonly (Shard & { readonly queues: Queues })[], away: readonly string[]) => Promise<T>,
): Promise<T> {
  return withShards(place, async ({ working, away }) => {
    const opened = await Promise.all(working.map(({ redis, names }) => openQueuesOn(redis, names)));
    try {
      const shards = working.map((shard, at) => ({ ...shard, queues: (opened[at] as Opened).queues }));
      return await use(shards, away);
    } finally {
      await Promise.all(opened.map(({ close }) => close()));
    }
  });
}

type Opened = Awaited<ReturnType<typeof openQueuesOn>>;

function lineOf({ redisUrls }: Place, { redisUrl }: Place, { message }: Error): string {
  return redisUrls.length === 1 ? message : `${withoutPasswords(redisUrl)}: ${message}`;
}
