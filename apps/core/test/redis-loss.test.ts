import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDb } from '@hooligram/db';
import { startRedis } from '@hooligram/local';
import { freePorts, metrics, startSystem, until } from '@hooligram/testkit';
import { afterEach, expect, test } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { group, send } from './group.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

test('when Redis is killed and comes back empty, delivery checks and redeliveries go on by themselves, and metrics tell both', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hooligram-redis-'));
  closers.push(() => rmSync(dir, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const start = (name: string) => startRedis({ dataDir: join(dir, name), logDir: dir, port, restart: false });
  const first = await start('first');
  let standing = first;
  closers.push(() => standing.stop());
  const system = await startSystem({
    gateways: 0,
    env: { REDIS_URL: first.url },
    coreEnv: { DELIVERY_ACK_DEADLINE_MS: '200', DELIVERY_RETRY_MS: '50', SWEEP_EVERY_MS: '600000' },
  });
  closers.push(() => system.stop());
  const stores = { redisUrl: first.url, prefix: system.prefix };
  const gateway = await FakeGateway.connect(stores, { mayBreak: true });
  closers.push(() => gateway.close());
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  closers.push(() => db.close());
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await gateway.until(() => gateway.of('delivery-check').find(({ check }) => check.due_seq === 1));

  process.kill(first.pid as number, 'SIGKILL');
  await first.stop();
  const before = gateway.received.length;
  standing = await start('second');
  const found = await gateway.until(() => gateway.of('delivery-check', before)[0], 'the sweep');
  expect(found.check).toMatchObject({ group_id, last_seq: 1, due_seq: 1 });

  await send(gateway, group_id, one);
  await gateway.until(
    () => gateway.of('delivery-check', before).find(({ check }) => check.due_seq === 2),
    'a delivery check',
  );
  await gateway.request('OVERDUE_REPORT', { user_ids: [two.user_id] });
  await gateway.until(() => gateway.of('redelivery-request', before).length > 1, 'a second nudge');
  for (const name of ['emptied', 'restarts']) {
    await until(`redis_${name}_total counts it`, async () => {
      return (await metrics(system.core(0).adminUrl)).value(`hooligram_core_redis_${name}_total`) > 0;
    });
  }
});
