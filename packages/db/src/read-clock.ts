import type { Db } from './db.ts';
import { runStatement } from './statement.ts';

const statement = {
  name: 'read_clock',
  text: 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now',
};

/** @returns milliseconds since the epoch, by the database's clock */
export async function readClock(db: Db): Promise<number> {
  const [row] = await runStatement<{ now: number }>(db, statement, []);
  return (row as { now: number }).now;
}
