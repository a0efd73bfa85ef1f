import { connectRedis, type Names } from '@hooligram/bus';
import { namesOf, type Place } from '../config.ts';
import { exitCodes, Refusal } from '../program.ts';

export type Redis = Awaited<ReturnType<typeof connectRedis>>;

export const quiet = { info() {}, warn() {}, error() {} };

/** @throws Refusal */
export async function openRedis(place: Place): Promise<{ redis: Redis; names: Names }> {
  const { redisUrl, caFile, signatures } = place;
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
  return { redis, names: namesOf(place) };
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
