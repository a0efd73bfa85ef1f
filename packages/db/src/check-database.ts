import type pg from 'pg';
import type { Db } from './db.ts';
import { defaultMigrationsDir, listMigrations } from './migrations/migration-files.ts';
import { withConnection } from './with-connection.ts';

const undefinedTable = '42P01';

type Row = { is_in_recovery: boolean; is_read_only: boolean; migrations: string[] };

/** @returns asks whether the database can do this release's work: `true`, or what is wrong. It rejects if it is away. */
export function createDatabaseCheck({ pool }: Pick<Db, 'pool'>): () => Promise<true | string> {
  // A session that may not write is given up: after a failover, a new one reaches the server that takes writes.
  return () => withConnection(pool, judgeDatabase, (answer) => answer === true);
}

let shipped: readonly string[] | undefined;

/** @returns whether the database of this connection can do this release's work: `true`, or what is wrong */
export async function judgeDatabase(client: Pick<pg.ClientBase, 'query'>): Promise<true | string> {
  shipped ??= listMigrations(defaultMigrationsDir).map(({ name }) => name);
  try {
    const { rows } = await client.query<Row>(
      `SELECT pg_is_in_recovery() AS is_in_recovery,
         current_setting('transaction_read_only')::boolean AS is_read_only,
         ARRAY(SELECT migration_name::text FROM _prisma_migrations
           WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL) AS migrations`,
    );
    return judge(rows[0] as Row, shipped);
  } catch (error) {
    if ((error as { code?: string }).code !== undefinedTable) throw error;
    return 'the database has no migrations (run the migrate command)';
  }
}

function judge({ is_in_recovery, is_read_only, migrations }: Row, shipped: readonly string[]): true | string {
  if (is_in_recovery) return 'the database is a standby, which takes no writes';
  if (is_read_only) return 'the database is read-only';
  const missing = shipped.filter((name) => !migrations.includes(name));
  if (missing.length > 0) {
    return `the database lacks migrations of this release: ${missing.join(', ')} (run the migrate command)`;
  }
  return true;
}
