import type { StackDescription } from '@hooligram/local';
import { onRedis } from '../on-redis.ts';

const mebibyte = 2 ** 20;

/** What all Redis of a stack hold, in MiB, and the connections that listen there. */
export type RedisUsage = { readonly mebibytes: number; readonly subscribers: ReadonlySet<string> };

export async function readRedisUsage({ redises }: Pick<StackDescription, 'redises'>): Promise<RedisUsage> {
  const all = await Promise.all(
    redises.map(({ url }) =>
      onRedis(url, async (redis) => {
        const memory = await redis.info('memory');
        const listening = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
        return {
          bytes: Number(/^used_memory:(\d+)/m.exec(memory)?.[1] ?? 0),
          ids: [...listening.matchAll(/^id=(\d+)/gm)].map(([, id]) => `${url} ${id}`),
        };
      }),
    ),
  );
  return {
    mebibytes: Math.round(all.reduce((sum, { bytes }) => sum + bytes, 0) / mebibyte),
    subscribers: new Set(all.flatMap(({ ids }) => ids)),
  };
}

/** How many of those who listened do not any more: Redis cuts off who leaves too much unread, and they begin anew. */
export function lostSubscribers(before: RedisUsage, after: RedisUsage): number {
  return [...before.subscribers].filter((id) => !after.subscribers.has(id)).length;
}
