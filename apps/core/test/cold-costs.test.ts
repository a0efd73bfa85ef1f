import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDb } from '@hooligram/db';
import { startRedis } from '@hooligram/local';
import { freePorts, metrics, startSystem, until } from '@hooligram/testkit';
import { afterEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { FakeGateway } from './fake-gateway.ts';
import { group, send } from './group.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

const groupsCount = 200;
const atOnce = 4;

/** Calls of each command so far, those inside of scripts included. */
async function calls(redis: Redis): Promise<Map<string, number>> {
  const lines = (await redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return new Map([...lines].map(([, name = '', count]) => [name, Number(count)]));
}

async function start() {
  const dir = mkdtempSync(join(tmpdir(), 'hooligram-redis-'));
  closers.push(() => rmSync(dir, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const redis = await startRedis({ dataDir: dir, logDir: dir, port, restart: false });
  closers.push(() => redis.stop());
  const system = await startSystem({
    gateways: 0,
    env: { REDIS_URL: redis.url },
    coreEnv: { SWEEP_EVERY_MS: '600000' },
  });
  closers.push(() => system.stop());
  const gateway = await FakeGateway.connect({ redisUrl: redis.url, prefix: system.prefix });
  closers.push(() => gateway.close());
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  closers.push(() => db.close());
  const counted = async (name: string, labels: Record<string, string>) =>
    (await metrics(system.core(0).adminUrl)).value(`hooligram_core_${name}`, labels);
  return { gateway, db, counted };
}

test('messages to groups of which each has one cost a job a bucket, and fewer than 25 Redis commands each', async () => {
  const { gateway, db, counted } = await start();
  const groups = [];
  while (groups.length < groupsCount) {
    groups.push(...(await Promise.all(Array.from({ length: atOnce }, () => group(gateway, db)))));
  }
  const checksOf = () => counted('delivery_checks_total', { by: 'job' });
  await until('the new groups are checked', checksOf, (checks) => checks >= groupsCount);
  const [jobs, checks, before] = [
    await counted('jobs_added_total', {}),
    await checksOf(),
    await calls(gateway.redis),
  ];
  for (let sent = 0; sent < groupsCount; sent += atOnce) {
    const some = groups.slice(sent, sent + atOnce);
    await Promise.all(some.map(({ group_id, one }) => send(gateway, group_id, one)));
  }
  await until('they are checked', checksOf, (count) => count >= checks + groupsCount);
  const after = await calls(gateway.redis);
  const added = (await counted('jobs_added_total', {})) - jobs;
  const costs = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const perMessage = costs.reduce((sum, [, count]) => sum + count, 0) / groupsCount;
  const largest = costs.toSorted(([, one], [, other]) => other - one).slice(0, 20);
  process.stderr.write(`${groupsCount} cold messages: ${added} jobs, ${perMessage} Redis commands each\n`);
  process.stderr.write(`${largest.map(([name, count]) => `${name} ${count}`).join(', ')}\n`);
  // A check that is a moment early is followed by another one.
  expect(await checksOf()).toBeLessThan(checks + 1.5 * groupsCount);
  expect(added).toBeLessThan(groupsCount / 4);
  expect(perMessage).toBeLessThan(25);
});
