import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
// By path: testkit depends on this package.
import { freePorts } from '../../testkit/src/free-ports.ts';
import { patienceMs, until } from '../../testkit/src/patience.ts';
import { checkRedis } from '../src/redis.ts';
import { askRedis } from '../src/redis-connection.ts';
import { checkClusterProgram } from '../src/redis-program.ts';
import type { RedisSet } from '../src/redis-servers.ts';
import { portsOf, startRedisSet } from '../src/redis-set.ts';

const folder = mkdtempSync(join(tmpdir(), 'hooligram-redis-forms-'));
const never = new AbortController().signal;
const stops: (() => Promise<void>)[] = [];

afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function stopAll(): Promise<void> {
  await Promise.all(stops.splice(0).map((stop) => stop()));
}

/** On ports that nobody has had. */
async function start(form: 'cluster' | 'sentinel'): Promise<RedisSet> {
  const set = await startRedisSet(form, {
    dataDir: folder,
    logDir: folder,
    ports: await freePorts(portsOf(form)),
    log: () => {},
    signal: never,
    onPid: () => () => {},
    close: (stop) => stops.push(stop),
  });
  await checkRedis(set.url);
  return set;
}

const portOf = (url: string) => Number(new URL(url).port);
/** A busy machine needs longer than a user would wait. */
const asked: typeof askRedis = (port, question) => askRedis(port, question, patienceMs);

test('a Redis Cluster keeps its data when a master dies, and when all of it is started again on other ports', async () => {
  const keys = Array.from({ length: 9 }, (_, index) => `key ${index}`);
  const sizesOf = ({ stores }: RedisSet) =>
    Promise.all(stores.map(({ url }) => asked(portOf(url), (redis) => redis.dbsize())));
  const first = await start('cluster');
  for (const { url } of first.stores) {
    await asked(portOf(url), async (redis) => {
      // Each of them has a third of the slots, and refuses what belongs to another.
      for (const key of keys) {
        await redis.set(key, '1').catch((error: Error) => {
          if (!error.message.startsWith('MOVED')) throw error;
        });
      }
    });
  }
  const before = await sizesOf(first);
  expect(before.reduce((sum, size) => sum + size, 0)).toBe(keys.length);

  const [killed] = first.stores;
  const pid = killed?.pid as number;
  process.kill(pid, 'SIGKILL');
  await until('it is started again', () => killed?.pid !== pid);
  await until('it has its data', async () => {
    const sizes = await sizesOf(first).catch(() => []);
    return sizes.join() === before.join();
  });
  await stopAll();

  const second = await start('cluster');
  expect(second.url).not.toBe(first.url);
  expect(await sizesOf(second)).toEqual(before);
});

test('of a pair under Sentinels the one that became the primary is it when both are started again', async () => {
  const primaryOf = async ({ url }: RedisSet) => {
    const sentinels = [...url.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
    const named = await Promise.all(
      sentinels.map((port) =>
        asked(port, (redis) => redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'hooligram')),
      ),
    );
    const ports = new Set(named.map((address) => Number((address as string[])[1])));
    return { sentinel: sentinels[0] as number, ports: [...ports] };
  };
  const first = await start('sentinel');
  const { sentinel, ports } = await primaryOf(first);
  // Sentinels that had no time may have chosen the second one by themselves.
  const next = first.stores.findIndex(({ url }) => portOf(url) !== ports[0]);
  const chosen = String(portOf(first.stores[next]?.url ?? ''));
  await until('a Sentinel begins', () =>
    asked(sentinel, (redis) => redis.call('SENTINEL', 'FAILOVER', 'hooligram')).catch(() => undefined),
  );
  await until('all have the other one', async () => (await primaryOf(first)).ports.join() === chosen);
  await stopAll();

  const second = await start('sentinel');
  expect((await primaryOf(second)).ports).toEqual([portOf(second.stores[next]?.url ?? '')]);
});

test('a server that is too old for a cluster is named, with what to do', async () => {
  const old = join(folder, 'redis-server');
  writeFileSync(
    old,
    '#!/bin/sh\necho "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64"\n',
  );
  chmodSync(old, 0o755);
  const { PATH } = process.env;
  process.env.PATH = `${folder}:${PATH}`;
  try {
    await expect(checkClusterProgram(() => {})).rejects.toThrow(
      `--redis cluster needs Redis 7 or later, and ${old} is 6.0.16: update it, or start with --redis 3`,
    );
  } finally {
    process.env.PATH = PATH;
    rmSync(old);
  }
});
