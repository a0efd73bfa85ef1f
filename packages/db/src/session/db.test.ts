import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aSend, freshDatabase, inSession, newGroup, newSid, storeOne } from '../../test/test-db.ts';
import { isInfrastructureError } from '../statements/errors.ts';
import { runStatement } from '../statements/statement.ts';
import { readCredentials } from '../verification/authorization-sign-in.ts';
import { type Db, openDb } from './db.ts';
import { requireDurableCommits } from './durability.ts';

let url: string;
const opened: Db[] = [];
beforeAll(async () => {
  url = await freshDatabase();
});
afterAll(async () => {
  await Promise.all(opened.map((db) => db.close()));
});

function open(options: Partial<Parameters<typeof openDb>[0]> = {}): Db {
  const db = openDb({ url, applicationName: 'test', ...options });
  opened.push(db);
  return db;
}

async function backendOf(db: Db): Promise<number> {
  return (await db.pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
}

test('ids are numbers to our statements and bigints to Prisma, on the same pool', async () => {
  const db = open({ poolSize: 1 });
  const { group_id } = await newGroup(db, 2);
  expect((await db.pool.query('SELECT id FROM "group"')).rows).toEqual([{ id: group_id }]);
  const group = await db.prisma.group.findFirstOrThrow({ include: { members: true } });
  expect(group).toMatchObject({ id: BigInt(group_id), isDirectMessage: true, lastSeq: 0n });
  expect(group.members).toHaveLength(2);
  expect(Math.abs(group.dateCreated.getTime() - Date.now())).toBeLessThan(60_000);
  expect((await inSession(url, (client) => client.query('SELECT 1::bigint AS n'))).rows).toEqual([
    { n: '1' },
  ]);
});

test("a session has the timeouts, and dates in UTC whatever the server's time zone", async () => {
  const db = open({ statementTimeoutMs: 1_234 });
  const { rows } = await db.pool.query(
    `SELECT current_setting('statement_timeout') AS statement, current_setting('TimeZone') AS zone,
       current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('application_name') AS name,
       current_setting('tcp_keepalives_idle') AS keepalive`,
  );
  expect(rows).toEqual([{ statement: '1234ms', zone: 'UTC', idle: '1234ms', name: 'test', keepalive: '10' }]);
});

test("commits are on disk when they are answered, whatever the role's and the database's default", async () => {
  const db = open();
  const { rows } = await db.pool.query('SELECT current_database() AS name, current_user AS role');
  await db.pool.query(`ALTER DATABASE "${rows[0].name}" SET synchronous_commit = off`);
  await db.pool.query(
    `ALTER ROLE "${rows[0].role}" IN DATABASE "${rows[0].name}" SET synchronous_commit = off`,
  );
  const other = open();
  await requireDurableCommits(other);
  const level = `SELECT current_setting('synchronous_commit') AS level`;
  expect((await other.pool.query(level)).rows).toEqual([{ level: 'on' }]);
  // A way that drops what a session asks for at its start.
  const dropped = await inSession(url, (client) =>
    requireDurableCommits({ pool: client as unknown as Db['pool'] }).catch((error: Error) => error.message),
  );
  expect(dropped).toMatch(/^synchronous_commit is off .* ALTER ROLE/);
});

test('a session frozen within a transaction loses its locks', async () => {
  const [frozen, db] = [open({ statementTimeoutMs: 1_000 }), open()];
  const { group_id, users } = await newGroup(db, 2);
  const client = await frozen.pool.connect();
  const died = new Promise((resolve) => client.on('error', resolve));
  // At once: a busy machine may take its time between two statements.
  await client.query(`BEGIN; SELECT FROM "group" WHERE id = ${group_id} FOR UPDATE`);
  expect(await storeOne(db, aSend(users[0], group_id))).toMatchObject({ seq: 1 });
  expect(isInfrastructureError(await died)).toBe(true);
  client.release(true);
});

test('an idle connection that dies is reported, and the next statement takes a new one', async () => {
  const errors: Error[] = [];
  let hear = () => {};
  const heard = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const db = open({
    poolSize: 1,
    applicationName: 'mortal',
    onConnectionError: (error) => {
      errors.push(error);
      hear();
    },
  });
  const first = await backendOf(db);
  await inSession(url, (client) => client.query('SELECT pg_terminate_backend($1)', [first]));
  await heard;
  expect(errors.map(isInfrastructureError)).toEqual([true]);
  expect(await backendOf(db)).not.toBe(first);
  expect(await readCredentials(db, [newSid()])).toEqual([null]);
});

test('the time of a statement is told when it fails, too: one that reached its timeout took that long', async () => {
  const told: [name: string, ms: number][] = [];
  const onStatement = (name: string, ms: number) => void told.push([name, ms]);
  const db = open({ poolSize: 1, statementTimeoutMs: 200, onStatement });
  const slow = { name: 'slow', text: 'SELECT pg_sleep(600)' };
  await expect(runStatement(db, slow, [])).rejects.toThrow('statement timeout');
  expect(told.map(([name]) => name)).toEqual(['slow']);
  expect(told[0]?.[1]).toBeGreaterThanOrEqual(200);
});
