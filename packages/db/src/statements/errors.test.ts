import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { emptyDatabase, freshDatabase, newSid } from '../../test/test-db.ts';
import { type Db, openDb } from '../session/db.ts';
import { isInfrastructureError, isRecoveryConflict, isRerunnable } from './errors.ts';
import { rerun } from './statement.ts';

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

/** The url with a setting that a session would have from its database or role. */
function withSetting(databaseUrl: string, setting: string): string {
  const other = new URL(databaseUrl);
  other.searchParams.set('options', `-c ${setting}`);
  return other.href;
}

test('a failure of the database is distinguished from a failure of the request', async () => {
  const db = open({ poolSize: 1 });
  const hasty = open({ statementTimeoutMs: 100, poolSize: 1 });
  const unreachable = open({ url: 'postgresql://nobody@127.0.0.1:1/none' });
  const missing = new URL(url);
  missing.pathname = '/no_such_database';
  const dying = open();
  const ended = openDb({ url, applicationName: 'ended' });
  await ended.close();
  const readOnly = open({ url: withSetting(url, 'default_transaction_read_only=on') });
  const unmigrated = open({ url: await emptyDatabase() });

  const infrastructure = [
    hasty.pool.query('SELECT pg_sleep(10)'),
    hasty.prisma.$queryRaw`SELECT 1 FROM pg_sleep(10)`,
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
  expect(isRecoveryConflict({ code: '40001' })).toBe(true);
  expect(isRerunnable({ code: '23505', constraint: 'message_group_id_seq_key' })).toBe(false);

  let runs = 0;
  const failing = (times: number) => async () => {
    runs += 1;
    if (runs <= times) throw raced;
    return runs;
  };
  expect(await rerun({ onRerun() {} }, failing(3))).toBe(4);
  runs = 0;
  expect(await errorOf(rerun({ onRerun() {} }, failing(99)))).toBe(raced);
  expect(runs).toBe(5);
});
