import { runStatement } from '../statements/statement.ts';
import type { Db } from './db.ts';

const serverStartStatement = {
  name: 'server_start',
  text: 'SELECT extract(epoch FROM pg_postmaster_start_time())::float8 AS started',
};

/** @returns when the server began, in seconds since the epoch by its own clock: what tells it from one that takes its place */
export async function readServerStart(db: Db): Promise<number> {
  const [row] = await runStatement<{ started: number }>(db, serverStartStatement, []);
  return (row as { started: number }).started;
}
