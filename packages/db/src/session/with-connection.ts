import type pg from 'pg';

/**
 * Lends a connection of the pool. Nobody else listens for its death meanwhile, and an error that nobody listens for
 * ends the process: here it is heard, and what is under way rejects with it.
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
