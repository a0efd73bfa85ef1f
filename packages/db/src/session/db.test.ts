import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  aSend,
  emptyDatabase,
  freshDatabase,
  inSession,
  newGroup,
  newSid,
  storeOne,
} from '../../test/test-db.ts';
import { isInfrastructureError, isRerunnable } from '../statements/errors.ts';
import { rerun } from '../statements/statement.ts';
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

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error,
  );
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

test('a session frozen within a transaction loses its locks (interleaving 3)', async () => {
  const [frozen, db] = [open({ statementTimeoutMs: 200 }), open()];
  const { group_id, people } = await newGroup(db, 2);
  const client = await frozen.pool.connect();
  const died = new Promise((resolve) => client.on('error', resolve));
  await client.query('BEGIN');
  await client.query('SELECT FROM "group" WHERE id = $1 FOR UPDATE', [group_id]);
  expect(await storeOne(db, aSend(people[0], group_id))).toMatchObject({ seq: 1 });
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

/** The url with a setting that a session would have from its database or role. */
function withSetting(databaseUrl: string, setting: string): string {
  const other = new URL(databaseUrl);
  other.searchParams.set('options', `-c ${setting}`);
  return other.href;
}

async function backendOf(db: Db): Promise<number> {
  return (await db.pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
}

test('what fails for the database’s sake is told from what fails for its own', async () => {
  const db = open({ statementTimeoutMs: 100, poolSize: 1 });
  const unreachable = open({ url: 'postgresql://nobody@127.0.0.1:1/none' });
  const missing = new URL(url);
  missing.pathname = '/no_such_database';
  const dying = open();
  const ended = openDb({ url, applicationName: 'ended' });
  await ended.close();
  const readOnly = open({ url: withSetting(url, 'default_transaction_read_only=on') });
  const unmigrated = open({ url: await emptyDatabase() });

  const infrastructure = [
    db.pool.query('SELECT pg_sleep(10)'),
    db.prisma.$queryRaw`SELECT 1 FROM pg_sleep(10)`,
    unreachable.pool.query('SELECT 1'),
    unreachable.prisma.user.count(),
    open({ url: missing.href }).pool.query('SELECT 1'),
    open({ url: missing.href }).prisma.user.count(),
    dying.pool.query('SELECT pg_terminate_backend(pg_backend_pid())'),
    dying.prisma.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid())`,
    ended.pool.query('SELECT 1'),
    readOnly.pool.query('CREATE TABLE nothing ()'),
    readOnly.prisma.$executeRaw`DELETE FROM "user"`,
    db.pool.query('SELECT 1 FROM no_such_table'),
    db.pool.query('SELECT no_such_column'),
    db.pool.query('SELECT no_such_function()'),
    db.pool.query({ name: 'missing', text: 'EXECUTE no_such_statement' }),
    unmigrated.prisma.user.count(),
    unmigrated.prisma.$queryRaw`SELECT no_such_function()`,
  ];
  for (const promise of infrastructure) {
    const error = await errorOf(promise);
    expect([error, isInfrastructureError(error)]).toEqual([error, true]);
    expect(isRerunnable(error)).toBe(false);
  }

  const own = [
    db.pool.query('SELECT 1/0'),
    db.pool.query('SELECT $1::text', ['\0']),
    db.pool.query('SELECT $1::bigint', ['99999999999999999999']),
    db.prisma.$queryRaw`SELECT 1/0`,
    db.prisma.user.findUniqueOrThrow({ where: { sid: newSid() } }),
  ];
  for (const promise of own) {
    const error = await errorOf(promise);
    expect([error, isInfrastructureError(error), isRerunnable(error)]).toEqual([error, false, false]);
  }
  for (const odd of [undefined, null, 'text', 7, {}]) {
    expect([isInfrastructureError(odd), isRerunnable(odd)]).toEqual([false, false]);
  }
});

test('a lost race is run again, a few times', async () => {
  const db = open();
  const sid = newSid();
  const insert = () => db.pool.query('INSERT INTO "user" (sid) VALUES ($1)', [sid]);
  await insert();
  const raced = await errorOf(insert());
  expect(isRerunnable(raced)).toBe(true);
  expect(isRerunnable({ code: '40P01' }) && isRerunnable({ code: '40001' })).toBe(true);
  expect(isRerunnable({ code: '23505', constraint: 'message_group_id_seq_key' })).toBe(false);

  let runs = 0;
  const failing = (times: number) => async () => {
    runs += 1;
    if (runs <= times) throw raced;
    return runs;
  };
  expect(await rerun(failing(3))).toBe(4);
  runs = 0;
  expect(await errorOf(rerun(failing(99)))).toBe(raced);
  expect(runs).toBe(5);
});
