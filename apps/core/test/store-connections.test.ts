import { openDb } from '@hooligram/db';
import {
  dropDatabase,
  freshDatabase,
  metrics,
  type OwnRedis,
  ownRedis,
  startSystem,
  type TestSystem,
  until,
} from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';

let redisServer: OwnRedis;
let proxy: FaultyTcpProxy;
let system: TestSystem;
let databaseUrl: string;

beforeAll(async () => {
  [databaseUrl, redisServer] = await Promise.all([freshDatabase(), ownRedis()]);
  proxy = await FaultyTcpProxy.start(databaseUrl);
  system = await startSystem({
    gateways: 0,
    cores: 1,
    databaseUrl: proxy.urlOf(databaseUrl),
    // What a frozen Postgres is asked ends long after the test.
    env: { REDIS_URL: redisServer.url, STATEMENT_TIMEOUT_MS: '600000', REQUEST_SETTLE_MS: '700000' },
  });
});
afterAll(async () => {
  proxy?.release();
  await system?.stop();
  await Promise.all([proxy?.stop(), redisServer?.stop()]);
  await dropDatabase(databaseUrl);
});

const value = async (name: string, labels?: Record<string, string>) =>
  (await metrics(system.core(0).adminUrl)).value(`hooligram_${name}`, labels);

/** The lines of the core's log with this text. */
function linesOf(text: string): Record<string, unknown>[] {
  const lines = system.core(0).log().split('\n');
  return lines.filter((line) => line.includes(text)).map((line) => JSON.parse(line));
}

test('a frozen Postgres is not connected, long before what it was asked has ended', async () => {
  const before = await value('core_database_reconnects_total');
  // The question whether it can do its work; the proxy answers everything else.
  proxy.hold('pg_is_in_recovery');
  await until('Postgres is away', async () => (await value('core_database_connected')) === 0);
  expect(proxy.isHolding()).toBe(true);
  proxy.release();
  await until('Postgres is there', async () => (await value('core_database_connected')) === 1);
  // On a busy machine a late answer may count as away, too.
  expect(await value('core_database_reconnects_total')).toBeGreaterThan(before);
});

test('connections to Postgres that broke, for however short a time, are a line when they are lost and one when it is back', async () => {
  const db = openDb({ url: databaseUrl, poolSize: 1, applicationName: 'test' });
  const kill = () =>
    db.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'hooligram-core'`,
    );
  try {
    // One that is in use then tells whoever uses it.
    await until('an idle connection was lost', async () => {
      await kill();
      return linesOf('Postgres connection lost').length > 0;
    });
  } finally {
    await db.close();
  }
  await until('Postgres is back', async () => linesOf('Postgres connection is back').length > 0);
  const [lost] = linesOf('Postgres connection lost');
  const [back] = linesOf('Postgres connection is back');
  const page = { part: 'database', see: 'docs/runbook.md#postgresnotwritable' };
  expect(lost).toMatchObject({ level: 'warn', ...page, reason: expect.any(String) });
  expect(back).toMatchObject({ level: 'info', ...page, afterMs: expect.any(Number) });
});

test("the connections of BullMQ's workers are watched like all others", async () => {
  const ofWorkers = /name=(core-queues-[\w-]+-workers|\S+:\{queues\}:\S+) /;
  const uses = ['workers', 'worker delivery-check', 'worker redelivery', 'worker sweep'];
  const told = async (name: string) => Promise.all(uses.map((connection) => value(name, { connection })));
  expect(await told('redis_connected')).toEqual([1, 1, 1, 1]);
  expect(await told('redis_reconnects_total')).toEqual([0, 0, 0, 0]);
  const redis = new Redis(redisServer.url);
  const clients = String(await redis.client('LIST')).split('\n');
  const own = clients.filter((client) => ofWorkers.test(client));
  expect(own).toHaveLength(uses.length);
  for (const client of own) await redis.client('KILL', 'ID', /^id=(\d+)/.exec(client)?.[1] ?? '');
  redis.disconnect();
  await until('each of them has connected again', async () => {
    const [connected, again] = [await told('redis_connected'), await told('redis_reconnects_total')];
    return connected.every((is) => is === 1) && again.every((times) => times > 0);
  });
});
