import { redisAddress } from '@hooligram/service';
import { Redis } from 'ioredis';

/**
 * Runs `work` on a connection of its own, which does not reconnect.
 * @throws Error when the connection fails, and the error of `work`
 */
export async function onRedis<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const address = redisAddress(url);
  const options = {
    ...address.options,
    sentinelRetryStrategy: () => null,
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 5_000,
  };
  const client = address.url === undefined ? new Redis(options) : new Redis(address.url, options);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}
