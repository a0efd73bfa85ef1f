import { connectRedis, createNames, type Names } from '@hooligram/bus';
import type { Place } from '../config.ts';
import { exitCodes, Refusal } from '../program.ts';

export type Redis = Awaited<ReturnType<typeof connectRedis>>;

export const quiet = { info() {}, warn() {}, error() {} };

/** Lends a connection to Redis. @throws Refusal */
export async function withRedis<T>(
  { redisUrl, caFile, prefix, signatures }: Place,
  use: (redis: Redis, names: Names) => Promise<T>,
): Promise<T> {
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
  try {
    return await use(redis, createNames(prefix));
  } finally {
    redis.disconnect();
  }
}
