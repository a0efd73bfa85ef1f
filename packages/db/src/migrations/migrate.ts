import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { withClient } from '../session/with-connection.ts';
import { applyBehindLocks, LockedOutError, type Waiting } from './apply-behind-locks.ts';
import { ensureDatabase } from './ensure-database.ts';
import { applyFunctions, defaultFunctionsDir, readFunctionSet } from './function-set.ts';
import { defaultMigrationsDir, listMigrations, type Migration } from './migration-files.ts';

type MigrateOptions = {
  url: string;
  /** Default: the repository's prisma/migrations. */
  dir?: string;
  /** Default: sql/functions of this package. */
  functionsDir?: string;
  /** Applies the SQL functions alone: another tool has applied the migrations. */
  functionsOnly?: boolean;
  /** Applies these SQL functions also where later ones are in force. */
  back?: boolean;
  log?: (line: string) => void;
  /** How long a migration may wait for the locks that it needs, all tries together. Default: 10 minutes. */
  patienceMs?: number;
};

/** The lock of `prisma migrate deploy`: one process migrates at a time. */
const migrationLock = 72707369;
const lockPatienceMs = 60_000;
const lockEveryMs = 200;

/** The last of the migrations that the initial one has replaced: a database that has it has all of them. */
const replaced = '20261125130000_verification_outcomes';

type AppliedMigration = {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
  rolled_back_at: Date | null;
  started_at: Date;
  logs: string | null;
};

/**
 * Applies what is missing, as `prisma migrate deploy` does and in its table, so that either can go on where the
 * other stopped; then the SQL functions. Creates the database if there is none. Safe to run from several processes at
 * once.
 *
 * @returns the names of the migrations that this run applied
 * @throws when a migration fails (it is recorded, and the next run refuses), an earlier one has failed, a lock was
 *   not to be had (nothing is recorded, and the next run tries again), or a function is faulty (none is changed)
 */
export async function migrate({
  url,
  dir = defaultMigrationsDir,
  functionsDir = defaultFunctionsDir,
  functionsOnly = false,
  back = false,
  log = () => {},
  patienceMs = 600_000,
}: MigrateOptions): Promise<{ applied: string[] }> {
  const migrations = functionsOnly ? [] : listMigrations(dir);
  const functions = readFunctionSet(functionsDir);
  if (!functionsOnly && (await ensureDatabase(url))) log('created the database');

  // The lock goes with the connection.
  return withClient({ connectionString: url, application_name: 'hooligram-migrate' }, async (client) => {
    await lock(client);
    const waiting = { client, url, log, patienceMs };
    const applied = functionsOnly ? [] : await applyMigrations(migrations, waiting);
    if (functions.names.length > 0) await applyFunctions(functions, { ...waiting, back });
    return { applied };
  });
}

async function applyMigrations(migrations: readonly Migration[], waiting: Waiting): Promise<string[]> {
  const { client, log } = waiting;
  await ensureMigrationsTable(client);
  await baseline(migrations, client);
  const recorded = await readRecorded(client);
  refuseAfterFailure(recorded);
  warnOfEdits(migrations, recorded, log);

  const standing = new Set(
    recorded.filter((row) => row.rolled_back_at === null).map((row) => row.migration_name),
  );
  const missing = migrations.filter(({ name }) => !standing.has(name));
  for (const migration of missing) {
    await apply(migration, waiting);
    log(`applied ${migration.name}`);
  }
  return missing.map(({ name }) => name);
}

/** A database from before the initial migration has what that makes, and functions under other names. */
async function baseline([initial]: readonly Migration[], client: pg.Client): Promise<void> {
  if (!initial) return;
  const { rowCount } = await client.query(
    'UPDATE _prisma_migrations SET migration_name = $2, checksum = $3 WHERE migration_name = $1',
    [replaced, initial.name, checksum(initial.script)],
  );
  if (!rowCount) return;
  await client.query(
    'DROP FUNCTION IF EXISTS add_member, begin_check, create_group, finish_check, judge_history, leave_group, record_challenge, settle_request, submit_challenge',
  );
}

/** Asks again and again: a statement that waits has a snapshot, and an index that is made CONCURRENTLY waits for its end. */
async function lock(client: pg.Client): Promise<void> {
  const isHeld = async () => {
    const asked = client.query<{ is_held: boolean }>('SELECT pg_try_advisory_lock($1) AS is_held', [
      migrationLock,
    ]);
    return (await asked).rows[0]?.is_held === true;
  };
  for (const givesUpAt = Date.now() + lockPatienceMs; !(await isHeld()); ) {
    if (Date.now() > givesUpAt) {
      throw new Error(
        `another process has been migrating this database for ${lockPatienceMs / 1000} s: wait until it ends, or end it (pg_locks, objid ${migrationLock}, has its pid)`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, lockEveryMs));
  }
}

async function ensureMigrationsTable(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ table_name: string }>(
    `SELECT table_name FROM information_schema.tables
     WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
  );
  const names = rows.map((row) => row.table_name);
  if (names.includes('_prisma_migrations')) return;
  const others = names.filter((name) => name !== 'spatial_ref_sys');
  if (others.length > 0) {
    throw new Error(
      `the database is not empty and has no migration history (it has ${others.slice(0, 3).join(', ')}): give an empty one, or baseline it with "prisma migrate resolve --applied <migration>"`,
    );
  }
  // Column for column what Prisma creates.
  await client.query(`CREATE TABLE _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
  )`);
}

async function readRecorded(client: pg.Client): Promise<AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    `SELECT migration_name, checksum, finished_at, rolled_back_at, started_at, logs
     FROM _prisma_migrations ORDER BY started_at`,
  );
  return rows;
}

function refuseAfterFailure(recorded: readonly AppliedMigration[]): void {
  const failed = recorded.find((row) => row.finished_at === null && row.rolled_back_at === null);
  if (!failed) return;
  const { migration_name: name, started_at: startedAt, logs } = failed;
  throw new Error(
    `migration ${name}, started at ${startedAt.toISOString()}, did not finish, and nothing is applied after it. ` +
      `Look at what it left in the database, then mark it: UPDATE _prisma_migrations SET rolled_back_at = now() ` +
      `WHERE migration_name = '${name}' AND finished_at IS NULL; to have it applied again ` +
      `("prisma migrate resolve --rolled-back ${name}" does the same)${logs ? `. It said: ${logs.trim()}` : ''}`,
  );
}

/** Prisma goes on too: what is applied is applied, and the file may have changed in nothing but a comment. */
function warnOfEdits(
  migrations: readonly Migration[],
  recorded: readonly AppliedMigration[],
  log: (line: string) => void,
): void {
  for (const { name, script } of migrations) {
    const row = recorded.find(
      (one) => one.migration_name === name && one.finished_at !== null && one.rolled_back_at === null,
    );
    if (row && !checksums(script).includes(row.checksum)) {
      log(`warning: migration ${name} was edited after it had been applied; the database has the older text`);
    }
  }
}

/** The file's own and those of its other line endings, as git may have changed them. */
function checksums(script: string): string[] {
  const lf = script.replaceAll('\r\n', '\n');
  return [script, lf, lf.replaceAll('\n', '\r\n')].map(checksum);
}

function checksum(script: string): string {
  return createHash('sha256').update(script).digest('hex');
}

/** One simple query, so one implicit transaction for the whole file; recorded outside of it, before and after. */
async function apply({ name, script }: Migration, waiting: Waiting): Promise<void> {
  const { client } = waiting;
  const id = randomUUID();
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, started_at, migration_name)
     VALUES ($1, $2, clock_timestamp(), $3)`,
    [id, checksum(script), name],
  );
  try {
    await applyBehindLocks({ ...waiting, name, script });
  } catch (error) {
    if (error instanceof LockedOutError) {
      // Nothing of it is there, so it has not failed.
      await client.query('DELETE FROM _prisma_migrations WHERE id = $1', [id]).catch(() => {});
      throw error;
    }
    const logs = describe(error as pg.DatabaseError, script);
    // The file may have opened a transaction of its own. On a lost connection nothing can be recorded.
    await client
      .query('ROLLBACK')
      .then(() => client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, logs]))
      .catch(() => {});
    throw new Error(`migration ${name} failed: ${logs}`, { cause: error });
  }
  await client.query(
    `UPDATE _prisma_migrations
     SET applied_steps_count = applied_steps_count + 1, finished_at = clock_timestamp() WHERE id = $1`,
    [id],
  );
}

function describe({ code, message, position }: pg.DatabaseError, script: string): string {
  const line = position ? ` (line ${script.slice(0, Number(position)).split('\n').length})` : '';
  return `${message}${line}${code ? ` [${code}]` : ''}`;
}
