import { Redis } from 'ioredis';
import pg from 'pg';

const connectTimeoutMs = 5_000;

/** Runs `work` on a connection of its own. @throws Error when the connection fails, and the error of `work` */
export async function onPostgres<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
  timeoutMs = connectTimeoutMs,
): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Runs `work` on a connection of its own, which does not reconnect. @throws as `onPostgres` */
export async function onRedis<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: connectTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}
