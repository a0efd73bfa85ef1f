import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, openDb } from '@hooligram/db';
import { type Store, startRedis } from '@hooligram/local';
import { freePorts, metrics, startSystem, type TestSystem, until } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { group, send } from './group.ts';

let dir: string;
let port: number;
let redis: Store;
let system: TestSystem;
let gateway: FakeGateway;
let db: Db;

/** Each name has data of its own. */
const start = (name: string) => startRedis({ dataDir: join(dir, name), logDir: dir, port, restart: false });

async function kill(): Promise<void> {
  process.kill(redis.pid as number, 'SIGKILL');
  await redis.stop();
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hooligram-redis-'));
  [port = 0] = await freePorts(1);
  redis = await start('first');
  system = await startSystem({
    gateways: 0,
    env: { REDIS_URL: redis.url },
    // What a sweep finds is told again after twice the deadline: by then the gateway of the test is back.
    coreEnv: { DELIVERY_ACK_DEADLINE_MS: '2000', DELIVERY_RETRY_MS: '50', SWEEP_EVERY_MS: '600000' },
  });
  const stores = { redisUrl: redis.url, prefix: system.prefix };
  gateway = await FakeGateway.connect(stores, { mayBreak: true });
  db = openDb({ url: system.databaseUrl, applicationName: 'test' });
});

afterAll(async () => {
  await db?.close();
  gateway?.close();
  await system?.stop();
  await redis?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Until a delivery check of this message or state was published. */
async function checked(group_id: number, due_seq: number, what: string): Promise<void> {
  const ofGroup = () => gateway.of('delivery-check').filter(({ check }) => check.group_id === group_id);
  await gateway.until(() => ofGroup().find(({ check }) => check.due_seq === due_seq), what);
}

test('when Redis is killed and comes back empty, delivery checks and redeliveries go on by themselves, and metrics tell both', async () => {
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(group_id, 1, 'a delivery check');

  await kill();
  const before = gateway.received.length;
  redis = await start('second');
  const found = await gateway.until(() => gateway.of('delivery-check', before)[0], 'the sweep');
  expect(found.check).toMatchObject({ group_id, last_seq: 1, due_seq: 1 });

  await send(gateway, group_id, one);
  await checked(group_id, 2, 'a delivery check');
  await gateway.request('OVERDUE_REPORT', { user_ids: [two.user_id] });
  await gateway.until(() => gateway.of('redelivery-request', before).length > 1, 'a second nudge');
  for (const name of ['emptied', 'restarts']) {
    await until(`redis_${name}_total counts it`, async () => {
      return (await metrics(system.core(0).adminUrl)).value(`hooligram_core_redis_${name}_total`) > 0;
    });
  }
});

test('what was scheduled in the last moment before Redis died, and is not on its disk, is found at once when it is back', async () => {
  const { group_id, one } = await group(gateway, db);
  await checked(group_id, 0, 'the check of the new group');
  // As a replica that is promoted, it comes back with what it had got by now, the epoch among it.
  await gateway.redis.config('SET', 'appendonly', 'no');
  const epoch = await gateway.redis.get(gateway.names.epoch);
  await send(gateway, group_id, one);
  await kill();
  redis = await start('second');
  await checked(group_id, 1, 'the sweep');
  await until('its connection for commands is back, too', () => gateway.redis.status === 'ready');
  expect(await gateway.redis.get(gateway.names.epoch)).toBe(epoch);
});
