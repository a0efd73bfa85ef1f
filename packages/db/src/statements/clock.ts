import type { Db } from '../session/db.ts';
import { runStatement } from './statement.ts';

const clockStatement = {
  name: 'read_clock',
  text: 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now',
};

/** @returns milliseconds since the epoch, by the database's clock */
export async function readClock(db: Db): Promise<number> {
  const [row] = await runStatement<{ now: number }>(db, clockStatement, []);
  return (row as { now: number }).now;
}

const olderStatement = {
  name: 'has_older_transaction',
  text: `
SELECT EXISTS (
  SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
    AND application_name = current_setting('application_name') AND xact_start <= to_timestamp($1::float8 / 1000)
) AS has_older`,
};

/**
 * Whether a transaction of a process like this one began before a moment and has not ended. A statement's timeout ends
 * what runs; it does not end a COMMIT that waits for a disk or for a synchronous standby.
 *
 * @param moment milliseconds since the epoch, by the database's clock
 */
export async function hasOlderTransaction(db: Db, moment: number): Promise<boolean> {
  const [row] = await runStatement<{ has_older: boolean }>(db, olderStatement, [moment]);
  return row?.has_older === true;
}
