import { connectRedis, createNames, type Names } from '@hooligram/bus';
import type { Place } from '../config.ts';
import { exitCodes, Refusal } from '../program.ts';

export type Redis = Awaited<ReturnType<typeof connectRedis>>;

export const quiet = { info() {}, warn() {}, error() {} };

/** @throws Refusal */
export async function openRedis({
  redisUrl,
  caFile,
  prefix,
  signatures,
}: Place): Promise<{ redis: Redis; names: Names }> {
  const redis = await connectRedis(redisUrl, {
    role: 'command',
    name: 'hooligram',
    log: quiet,
    caFile,
    signatures,
  }).catch((error: Error) => {
    throw new Refusal(error.message, exitCodes.unreachable);
  });
  redis.on('error', () => {});
  return { redis, names: createNames(prefix) };
}

/** Lends a connection to one Redis. @throws Refusal */
export async function withRedis<T>(
  place: Place,
  use: (redis: Redis, names: Names) => Promise<T>,
): Promise<T> {
  const { redis, names } = await openRedis(place);
  try {
    return await use(redis, names);
  } finally {
    redis.disconnect();
  }
}
