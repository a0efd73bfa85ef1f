import { openDb } from '@hooligram/db';
import { until } from './fixture.ts';

export type Database = {
  rows<R extends object>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /** Holds the locks of a statement until the returned function is called. */
  hold(sql: string, values?: readonly unknown[]): Promise<() => Promise<void>>;
  /** Locks a group: no message is stored in it, and no user joins or leaves. */
  holdGroup(groupId: number): Promise<() => Promise<void>>;
  /** Resolves when so many statements of cores wait for a lock, of dead cores too. */
  untilWaiting(statements: number): Promise<unknown>;
  /** Releases everything that is held. */
  release(): Promise<void>;
  close(): Promise<void>;
};

/** Connects the test itself to the database of a system. */
export function openDatabase(url: string): Database {
  const db = openDb({ url, poolSize: 4, statementTimeoutMs: 60_000, applicationName: 'test' });

  const held = new Set<() => Promise<void>>();

  async function rows<R extends object>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    return (await db.pool.query<R>(sql, [...values])).rows;
  }

  async function hold(sql: string, values: readonly unknown[] = []): Promise<() => Promise<void>> {
    const client = await db.pool.connect();
    // A session that does nothing within a transaction is ended after some seconds; a lock is held for longer here.
    await client.query('BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0');
    await client.query(sql, [...values]);
    const release = async () => {
      if (!held.delete(release)) return;
      await client.query('COMMIT');
      client.release();
    };
    held.add(release);
    return release;
  }

  return {
    rows,
    hold,
    holdGroup: (groupId) => hold('SELECT FROM "group" WHERE id = $1 FOR UPDATE', [groupId]),
    untilWaiting: (statements) =>
      until(
        `${statements} statements wait`,
        () =>
          rows<{ query: string }>(
            `SELECT query FROM pg_stat_activity WHERE datname = current_database()
             AND application_name = 'hooligram-core' AND wait_event_type = 'Lock'`,
          ),
        (waiting) => waiting.length === statements,
      ),
    async release() {
      await Promise.all([...held].map((release) => release()));
    },
    close: () => db.close(),
  };
}
