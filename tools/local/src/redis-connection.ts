import { type Host, redisAddress } from '@hooligram/service';
import { Redis, type RedisOptions } from 'ioredis';

const connectTimeout = 5_000;

/**
 * Asks a Redis or a Sentinel at a port of this machine, on a connection of its own.
 * @throws Error when it does not answer
 */
export async function askRedis<T>(
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

/**
 * @param url in any form of one address in REDIS_URL
 * @param caFile certificates by which a server with TLS is known, in place of the system's
 * @throws Error when it does not answer
 */
export async function ping(url: string, caFile?: string): Promise<string> {
  const address = redisAddress(url, caFile);
  if (!address.cluster) return pingAt(address);
  // Any node of a cluster knows the others.
  const pings = address.cluster.nodes.map((node) => pingAt(address, node));
  return Promise.any(pings).catch((error: AggregateError) => {
    throw error.errors[0];
  });
}

async function pingAt(address: ReturnType<typeof redisAddress>, node?: Host): Promise<string> {
  const options: RedisOptions & { replyMapping: 'legacy' } = {
    replyMapping: 'legacy',
    ...address.options,
    ...node,
    sentinelRetryStrategy: () => null,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout,
    enableReadyCheck: true,
  };
  const client = address.url === undefined ? new Redis(options) : new Redis(address.url, options);
  let cause: Error | undefined;
  client.on('error', (error: Error) => {
    cause = error;
  });
  try {
    await client.connect();
    return await client.ping();
  } catch (error) {
    throw cause ?? error;
  } finally {
    client.disconnect();
  }
}
