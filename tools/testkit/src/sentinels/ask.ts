import { Redis } from 'ioredis';

/** Asks a Redis or a Sentinel on a connection of its own. @throws Error when it does not answer */
export async function ask<T>(
  port: number,
  question: (redis: Redis) => Promise<T>,
  commandTimeout = 5_000,
): Promise<T> {
  const redis = new Redis(`redis://127.0.0.1:${port}`, {
    lazyConnect: true,
    retryStrategy: () => null,
    // One that is frozen takes connections, and says nothing.
    commandTimeout,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
