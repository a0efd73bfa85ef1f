import type { StackDescription } from '@hooligram/local';
import { onRedis } from '../on-redis.ts';

const mebibyte = 2 ** 20;

/** What all Redis of a stack hold, in MiB, and how many clients they have cut off so far that left too much unread. */
export type RedisUsage = { readonly mebibytes: number; readonly cut: number };

export async function readRedisUsage({ redises }: Pick<StackDescription, 'redises'>): Promise<RedisUsage> {
  const all = await Promise.all(redises.map(({ url }) => onRedis(url, (redis) => redis.info())));
  const sumOf = (name: string) =>
    all.reduce((sum, info) => sum + Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0), 0);
  return {
    mebibytes: Math.round(sumOf('used_memory') / mebibyte),
    cut: sumOf('client_output_buffer_limit_disconnections'),
  };
}
