import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type PgBouncer, startPgBouncer } from '../../test/pgbouncer.ts';
import { aSend, freshDatabase, inSession, newGroup, storeOne } from '../../test/test-db.ts';
import { isInfrastructureError } from '../statements/errors.ts';
import { createDatabaseCheck } from './check-database.ts';
import { openDb } from './db.ts';
import { inspectSession, type SessionKind } from './session.ts';

const statementTimeoutMs = 4_321;

let url: string;
let bouncer: PgBouncer;

beforeAll(async () => {
  url = await freshDatabase();
  const role = `pooled_${randomUUID().replaceAll('-', '')}`;
  await inSession(url, (client) => client.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'pw'`));
  const own = new URL(url);
  own.username = role;
  own.password = 'pw';
  url = own.href;
  bouncer = await startPgBouncer(url);
});
afterAll(() => bouncer?.stop());

/** What a core does, as many times at once as it has connections twice. */
async function work(to: string, session: SessionKind) {
  const onEpoch = () => {};
  const db = openDb({ url: to, applicationName: 'test', poolSize: 4, statementTimeoutMs, session, onEpoch });
  try {
    const { group_id, users } = await newGroup(db, 2);
    const stored = await Promise.all(
      Array.from({ length: 8 }, () => storeOne(db, aSend(users[0], group_id))),
    );
    const { rows } = await db.pool.query(
      `SELECT current_setting('plan_cache_mode') AS plans, current_setting('enable_hashjoin') AS joins,
         current_setting('statement_timeout') AS timeout, current_setting('TimeZone') AS zone`,
    );
    return {
      stored: stored.length,
      ...rows[0],
      isUsable: await createDatabaseCheck(db)(),
      isEntered: db.epoch.seen !== undefined,
    };
  } finally {
    await db.close();
  }
}

const worked = {
  stored: 8,
  plans: 'force_generic_plan',
  joins: 'off',
  timeout: '4321ms',
  zone: 'UTC',
  isUsable: true,
  isEntered: true,
};

test('without a pooler a session has its settings from its start', async () => {
  const session = await inspectSession({ url, statementTimeoutMs });
  expect(session).toEqual({ pooling: 'direct', keepsStatements: true });
  expect(await work(url, session)).toEqual(worked);
});

test('a pooler in session mode is recognized, and each of its sessions has the settings', async () => {
  const session = await inspectSession({ url: bouncer.session, statementTimeoutMs });
  expect(session).toEqual({ pooling: 'session', keepsStatements: true });
  expect(await work(bouncer.session, session)).toEqual(worked);
});

test('a pooler in transaction mode is recognized; the error holds the commands that set what the role lacks, and then it works', async () => {
  const inspect = () => inspectSession({ url: bouncer.transaction, statementTimeoutMs });
  const before = await inspect();
  expect(before).toMatchObject({ pooling: 'transaction', problem: expect.stringContaining('ALTER ROLE') });
  await inSession(url, async (client) => {
    for (const [command] of before.problem?.matchAll(/ALTER ROLE [^;]*;/g) ?? []) await client.query(command);
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()',
    );
  });
  // The pooler may still hand out a session that has just been ended.
  const again = (): Promise<SessionKind> =>
    inspect().catch((error: unknown) => {
      if (!isInfrastructureError(error)) throw error;
      return again();
    });
  const after = await again();
  expect(after.problem).toBeUndefined();
  expect(after.pooling).toBe('transaction');
  expect(await work(bouncer.transaction, after)).toEqual(worked);
});

test('what a pooler answers for itself is an outage', async () => {
  // Its default refuses the startup parameter of a session without a pooler.
  const refused = openDb({ url: bouncer.session, applicationName: 'test' });
  const error = await refused.pool.query('SELECT 1').catch((reason: unknown) => reason);
  await refused.close();
  expect([error, isInfrastructureError(error)]).toEqual([error, true]);
  for (const code of ['42P05', '26000', '08P01']) expect(isInfrastructureError({ code })).toBe(true);
});
