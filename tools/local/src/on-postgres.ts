import pg from 'pg';

/**
 * Runs `work` on a connection of its own.
 * @param timeoutMs for connecting
 * @throws Error when the connection fails, and the error of `work`
 */
export async function onPostgres<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
  timeoutMs = 5_000,
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
