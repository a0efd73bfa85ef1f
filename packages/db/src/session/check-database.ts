import type pg from 'pg';
import { defaultFunctionsDir, type FunctionSet, readFunctionSet } from '../migrations/function-set.ts';
import { defaultMigrationsDir, listMigrations } from '../migrations/migration-files.ts';
import type { Db } from './db.ts';
import { withConnection } from './with-connection.ts';

const command = 'run node packages/db/dist/migrations/main.js --functions';
const undefinedTable = '42P01';

type Row = {
  is_in_recovery: boolean;
  is_read_only: boolean;
  migrations: string[];
  has_function_set: boolean;
  missing_functions: string[];
};

/** @returns asks whether the database can do this release's work: `true`, or what is wrong. It rejects if it is away. */
export function createDatabaseCheck({
  pool,
  keepsStatements,
}: Pick<Db, 'pool' | 'keepsStatements'>): () => Promise<true | string> {
  const name = keepsStatements ? 'check_database' : undefined;
  const check = (client: pg.ClientBase) => checkDatabase(client, name);
  // A session that may not write is given up: after a failover, a new one reaches the server that takes writes.
  return () => withConnection(pool, check, (answer) => answer === true);
}

type Release = { readonly migrations: readonly string[]; readonly functions: FunctionSet };

let release: Release | undefined;

/**
 * @param name under which the statement is prepared, once a connection; by default it is parsed and planned each time
 * @returns whether the database of this connection can do this release's work: `true`, or what is wrong
 */
export async function checkDatabase(
  client: Pick<pg.ClientBase, 'query'>,
  name?: string,
): Promise<true | string> {
  release ??= {
    migrations: listMigrations(defaultMigrationsDir).map(({ name }) => name),
    functions: readFunctionSet(defaultFunctionsDir),
  };
  try {
    // A name that has no function, or two, is no regproc.
    const { rows } = await client.query<Row>({
      name,
      text: `SELECT pg_is_in_recovery() AS is_in_recovery,
         current_setting('transaction_read_only')::boolean AS is_read_only,
         ARRAY(SELECT migration_name::text FROM _prisma_migrations
           WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL) AS migrations,
         EXISTS (SELECT FROM function_set WHERE checksum = $1) AS has_function_set,
         ARRAY(SELECT name FROM unnest($2::text[]) AS name WHERE to_regproc(name) IS NULL) AS missing_functions`,
      values: [release.functions.checksum, release.functions.names],
    });
    return faultOf(rows[0] as Row, release.migrations) ?? true;
  } catch (error) {
    if ((error as { code?: string }).code !== undefinedTable) throw error;
    return 'the database has no migrations (run the migrate command)';
  }
}

/** Later migrations and functions than this release's are no fault. */
function faultOf(found: Row, migrations: readonly string[]): string | undefined {
  if (found.is_in_recovery) return 'the database is a standby, which takes no writes';
  if (found.is_read_only) return 'the database is read-only';
  const missing = migrations.filter((name) => !found.migrations.includes(name));
  if (missing.length > 0) {
    return `the database lacks migrations of this release: ${missing.join(', ')} (run the migrate command)`;
  }
  if (found.missing_functions.length > 0) {
    return `the database lacks SQL functions of this release: ${found.missing_functions.join(', ')} (${command})`;
  }
  if (!found.has_function_set) return `the database has older SQL functions than this release (${command})`;
  return undefined;
}
