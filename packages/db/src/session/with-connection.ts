import pg from 'pg';

/**
 * Lends a connection of the pool. Meanwhile the pool does not listen for its death, and an error without a listener
 * ends the process: this function listens, and what is under way rejects with it.
 *
 * @param isUsable whether the pool may have the connection back after this; it may not after an error
 */
export async function withConnection<T>(
  pool: pg.Pool,
  run: (client: pg.PoolClient) => Promise<T>,
  isUsable: (result: T) => boolean = () => true,
): Promise<T> {
  const client = await pool.connect();
  const onError = () => {};
  client.on('error', onError);
  let isKept = false;
  try {
    const result = await run(client);
    isKept = isUsable(result);
    return result;
  } finally {
    client.off('error', onError);
    client.release(!isKept);
  }
}

/** Opens a connection outside of the pool, for as long as `run` needs it. @throws what the database threw */
export async function withClient<T>(
  config: pg.ClientConfig,
  run: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionTimeoutMillis: 10_000, ...config });
  client.on('error', () => {}); // The statement under way rejects with it.
  try {
    await client.connect();
    return await run(client);
  } finally {
    await client.end().catch(() => {});
  }
}
