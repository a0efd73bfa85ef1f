import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import type pg from 'pg';
// By path: see test-db.ts.
import { until } from '../../../../tools/testkit/src/patience.ts';
import { emptyDatabase, inSession } from '../../test/test-db.ts';
import { migrate as migrateWith } from './migrate.ts';

const repositoryDir = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url));
const repositoryNames = readdirSync(repositoryDir, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

/** A folder of migrations, by name. It holds no SQL functions. */
function folder(migrations: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'hooligram-migrations-'));
  dirs.push(dir);
  writeFileSync(join(dir, 'migration_lock.toml'), 'provider = "postgresql"\n');
  for (const [name, script] of Object.entries(migrations)) edit(dir, name, script);
  return dir;
}

function edit(dir: string, name: string, script: string): void {
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name, 'migration.sql'), script);
}

/** Without SQL functions where the folder is not the repository's. */
function migrate(options: Parameters<typeof migrateWith>[0]) {
  return migrateWith({ ...(options.dir ? { functionsDir: options.dir } : {}), ...options });
}

async function recorded(url: string) {
  const { rows } = await inSession(url, (client) =>
    client.query('SELECT * FROM _prisma_migrations ORDER BY started_at'),
  );
  return rows;
}

const one = '20260101000000_one';
const two = '20260102000000_two';

test('the repository’s migrations are applied once, in order, and recorded as Prisma records them', async () => {
  const url = await emptyDatabase();
  expect(await migrate({ url })).toEqual({ applied: repositoryNames });
  expect(await migrate({ url })).toEqual({ applied: [] });
  const rows = await recorded(url);
  expect(rows.map((row) => row.migration_name)).toEqual(repositoryNames);
  for (const row of rows) {
    const file = readFileSync(join(repositoryDir, row.migration_name, 'migration.sql'));
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      checksum: createHash('sha256').update(file).digest('hex'),
      finished_at: expect.any(Date),
      migration_name: expect.any(String),
      logs: null,
      rolled_back_at: null,
      started_at: expect.any(Date),
      applied_steps_count: 1,
    });
  }
  const { rows: columns } = await inSession(url, (client) =>
    client.query(
      `SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
       FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`,
    ),
  );
  expect(columns.map((column) => Object.values(column))).toEqual([
    ['id', 'character varying', 36, 'NO', null],
    ['checksum', 'character varying', 64, 'NO', null],
    ['finished_at', 'timestamp with time zone', null, 'YES', null],
    ['migration_name', 'character varying', 255, 'NO', null],
    ['logs', 'text', null, 'YES', null],
    ['rolled_back_at', 'timestamp with time zone', null, 'YES', null],
    ['started_at', 'timestamp with time zone', null, 'NO', 'now()'],
    ['applied_steps_count', 'integer', null, 'NO', '0'],
  ]);
});

test('a database that does not exist is created, once, by several processes at once', async () => {
  const url = new URL(await emptyDatabase());
  url.pathname += '_"odd"-näme';
  const lines: string[] = [];
  const dir = folder({ [one]: 'CREATE TABLE one ()' });
  const runs = await Promise.all(
    Array.from({ length: 3 }, () => migrate({ url: url.href, dir, log: (line) => lines.push(line) })),
  );
  expect(runs.map(({ applied }) => applied.length).sort()).toEqual([0, 0, 1]);
  expect(lines.filter((line) => line === 'created the database').length).toBe(1);
});

test('migration goes on where another tool stopped', async () => {
  const url = await emptyDatabase();
  const dir = folder({ [one]: 'CREATE TABLE one ()' });
  await migrate({ url, dir });
  edit(dir, two, 'ALTER TABLE one ADD COLUMN two int');
  expect(await migrate({ url, dir })).toEqual({ applied: [two] });
});

test('it waits for the process that holds Prisma’s lock', async () => {
  const url = await emptyDatabase();
  const dir = folder({ [one]: 'CREATE TABLE one ()' });
  await inSession(url, async (client) => {
    await client.query('SELECT pg_advisory_lock(72707369)');
    const run = migrate({ url, dir });
    await untilLockIsRefused(client);
    expect((await client.query(`SELECT to_regclass('one') AS made`)).rows).toEqual([{ made: null }]);
    await client.query('SELECT pg_advisory_unlock(72707369)');
    expect(await run).toEqual({ applied: [one] });
  });
});

test('behind a long reader a migration lets everybody else pass, names the process in its way, and is applied at last', async () => {
  const url = await emptyDatabase();
  const dir = folder({ [one]: 'CREATE TABLE one ()' });
  await migrate({ url, dir });
  edit(dir, two, 'ALTER TABLE one ADD COLUMN two int');
  const lines: string[] = [];
  await inSession(`${url}?application_name=analyst`, async (reader) => {
    await reader.query('BEGIN');
    await reader.query('SELECT FROM one');
    const run = migrate({ url, dir, log: (line) => lines.push(line) });
    await inSession(url, async (other) => {
      // It waits, and then it does not: meanwhile the others go on, though the reader is still there.
      for (const isWaiting of [true, false, true]) await untilMigrationWaits(other, isWaiting);
      await other.query('SELECT FROM one');
    });
    await reader.query('COMMIT');
    expect(await run).toEqual({ applied: [two] });
  });
  expect(lines).toEqual([
    expect.stringMatching(
      /^20260102000000_two waits for a lock behind process \d+ \(analyst, idle in transaction, transaction since /,
    ),
    `applied ${two}`,
  ]);
});

test('a migration that gets no lock in the end leaves nothing, and the next run tries again', async () => {
  const url = await emptyDatabase();
  const dir = folder({ [one]: 'CREATE TABLE one ()' });
  await migrate({ url, dir });
  edit(dir, two, 'CREATE TABLE two (); ALTER TABLE one ADD COLUMN two int');
  await inSession(`${url}?application_name=analyst`, async (reader) => {
    await reader.query('BEGIN');
    await reader.query('SELECT FROM one');
    await expect(migrate({ url, dir, patienceMs: 0 })).rejects.toThrow(/got no lock.*analyst/);
  });
  expect((await recorded(url)).map((row) => row.migration_name)).toEqual([one]);
  expect(await migrate({ url, dir })).toEqual({ applied: [two] });
});

test('an index that is made CONCURRENTLY waits for old transactions as long as it takes', async () => {
  await beforeIndex(async ({ url, dir, writer }) => {
    const run = migrate({ url, dir });
    await inSession(url, (other) => untilMigrationWaits(other, true));
    // Longer than a lock is waited for elsewhere.
    await writer.query('SELECT pg_sleep(1.5)');
    await writer.query('COMMIT');
    expect(await run).toEqual({ applied: [two] });
  });
});

test('an index is made CONCURRENTLY while another process waits to migrate, too', async () => {
  await beforeIndex(async ({ url, dir, writer }) => {
    const runs = [migrate({ url, dir })];
    await inSession(url, async (other) => {
      await untilMigrationWaits(other, true);
      runs.push(migrate({ url, dir }));
      await untilLockIsRefused(other);
    });
    await writer.query('COMMIT');
    expect(await Promise.all(runs)).toEqual([{ applied: [two] }, { applied: [] }]);
  });
});

/** While a migration that makes an index CONCURRENTLY is to be applied, and a transaction has written to its table. */
async function beforeIndex(
  work: (given: { url: string; dir: string; writer: pg.Client }) => Promise<void>,
): Promise<void> {
  const url = await emptyDatabase();
  const dir = folder({ [one]: 'CREATE TABLE one (id int)' });
  await migrate({ url, dir });
  edit(dir, two, 'CREATE INDEX CONCURRENTLY two ON one (id)');
  await inSession(url, async (writer) => {
    await writer.query('BEGIN');
    await writer.query('INSERT INTO one VALUES (1)');
    await work({ url, dir, writer });
  });
}

/** Until a process has asked for the lock of migrations, and another one has it. */
async function untilLockIsRefused(client: pg.Client): Promise<void> {
  await untilMigrations(client, 1, `query LIKE '%advisory_lock%' AND state = 'idle'`);
}

async function untilMigrationWaits(client: pg.Client, isWaiting: boolean): Promise<void> {
  await untilMigrations(client, isWaiting ? 1 : 0, `wait_event_type = 'Lock'`);
}

/** Until so many processes that migrate are as a condition on `pg_stat_activity` says. */
async function untilMigrations(client: pg.Client, count: number, condition: string): Promise<void> {
  await until(`${count} migrate and ${condition}`, async () => {
    await client.query('SELECT pg_stat_clear_snapshot()');
    const { rowCount } = await client.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hooligram-migrate'
       AND ${condition}`,
    );
    return rowCount === count;
  });
}

test('a migration that fails leaves nothing, is recorded, and stops every later run until it is marked', async () => {
  const url = await emptyDatabase();
  const dir = folder({ [one]: 'CREATE TABLE one ();\nCREATE TABLE one ();', [two]: 'CREATE TABLE two ()' });
  await expect(migrate({ url, dir })).rejects.toThrow(
    `migration ${one} failed: relation "one" already exists [42P07]`,
  );
  expect(await recorded(url)).toEqual([
    expect.objectContaining({
      migration_name: one,
      finished_at: null,
      rolled_back_at: null,
      applied_steps_count: 0,
      logs: expect.stringContaining('already exists'),
    }),
  ]);
  edit(dir, one, 'CREATE TABLE one ()');
  await expect(migrate({ url, dir })).rejects.toThrow(/did not finish.*rolled_back_at = now\(\)/);

  await inSession(url, (client) =>
    client.query(
      'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = $1 AND finished_at IS NULL',
      [one],
    ),
  );
  const lines: string[] = [];
  expect(await migrate({ url, dir, log: (line) => lines.push(line) })).toEqual({ applied: [one, two] });
  await migrate({ url, dir, log: (line) => lines.push(line) });
  expect(lines).toEqual([`applied ${one}`, `applied ${two}`]);
});

test('a migration that opens a transaction of its own and fails is recorded too, with the line', async () => {
  const url = await emptyDatabase();
  const dir = folder({ [one]: 'BEGIN;\nCREATE TABLE one ();\nSELECT nonsense;\nCOMMIT;' });
  await expect(migrate({ url, dir })).rejects.toThrow('column "nonsense" does not exist (line 3) [42703]');
  expect((await recorded(url))[0].logs).toContain('(line 3)');
});

test('an edited migration is warned of and not applied again; other line endings are no edit', async () => {
  const url = await emptyDatabase();
  const dir = folder({ [one]: 'CREATE TABLE one\n();\n' });
  await migrate({ url, dir });
  const lines: string[] = [];
  edit(dir, one, 'CREATE TABLE one\r\n();\r\n');
  await migrate({ url, dir, log: (line) => lines.push(line) });
  expect(lines).toEqual([]);
  edit(dir, one, 'CREATE TABLE other ()');
  expect(await migrate({ url, dir, log: (line) => lines.push(line) })).toEqual({ applied: [] });
  expect(lines).toEqual([expect.stringContaining(`${one} was edited after it had been applied`)]);
});

test('a database with tables and without a history is refused', async () => {
  const url = await emptyDatabase();
  await inSession(url, (client) => client.query('CREATE TABLE somebody_elses ()'));
  await expect(migrate({ url })).rejects.toThrow(/not empty.*somebody_elses/);
  expect(
    (await inSession(url, (c) => c.query(`SELECT to_regclass('_prisma_migrations') AS t`))).rows,
  ).toEqual([{ t: null }]);
});

test('a folder that is none, is another database’s, or lacks a file is refused', async () => {
  const url = await emptyDatabase();
  await expect(migrate({ url, dir: '/nonexistent' })).rejects.toThrow('no migrations folder at /nonexistent');
  const dir = folder({});
  mkdirSync(join(dir, one));
  await expect(migrate({ url, dir })).rejects.toThrow(`migration ${one} has no migration.sql`);
  writeFileSync(join(dir, 'migration_lock.toml'), 'provider = "sqlite"\n');
  await expect(migrate({ url, dir })).rejects.toThrow('names sqlite');
});

test('a database from before the initial migration has it, and keeps what is stored', async () => {
  const url = await emptyDatabase();
  await migrate({ url });
  await inSession(url, (client) =>
    client.query(`
      DROP TABLE function_set, credential, upkeep;
      DELETE FROM _prisma_migrations WHERE migration_name NOT LIKE '%_initial';
      UPDATE _prisma_migrations SET migration_name = '20261125130000_verification_outcomes', checksum = 'x';
      CREATE FUNCTION create_group() RETURNS INT LANGUAGE sql RETURN 1;
      INSERT INTO "user" (sid) VALUES ('1.5550100')`),
  );
  const lines: string[] = [];
  const rest = repositoryNames.slice(1);
  expect(await migrate({ url, log: (line) => lines.push(line) })).toEqual({ applied: rest });
  expect(lines).toEqual([...rest.map((name) => `applied ${name}`), 'applied the SQL functions']);
  const { rows } = await inSession(url, (client) =>
    client.query(`SELECT sid, to_regproc('create_group') AS old FROM "user"`),
  );
  expect(rows).toEqual([{ sid: '1.5550100', old: null }]);
});
