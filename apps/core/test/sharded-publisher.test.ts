import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectRedis,
  createNames,
  Placement,
  Publisher,
  ShardedPublisher,
  ShardState,
} from '@hooligram/bus';
import { type Store, startRedis } from '@hooligram/local';
import { freePorts, freshPrefix, patienceMs, redisUrl, until } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';

const silent = { info() {}, warn() {}, error() {} };
const placement = new Placement(2);
const idOn = (shard: number) => [...Array(1_000).keys()].find((id) => placement.of(id) === shard) as number;

let dir: string;
let second: Store;
let redises: Redis[] = [];
let listener: Redis;
const heard: string[] = [];
const opened: ShardState[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hooligram-sharded-'));
  const [port = 0] = await freePorts(1);
  second = await startRedis({ dataDir: dir, logDir: dir, port, restart: false });
  redises = await Promise.all(
    [await redisUrl(), second.url].map((url) =>
      connectRedis(url, { role: 'command', name: 'test', log: silent }),
    ),
  );
  listener = await connectRedis(second.url, { role: 'subscriber', name: 'test', log: silent });
  listener.on('messageBuffer', (_: Buffer, bytes: Buffer) => void heard.push(bytes.toString()));
});
afterEach(() => {
  if (second?.pid !== undefined) process.kill(second.pid, 'SIGCONT');
});
afterAll(async () => {
  for (const state of opened) state.close();
  for (const redis of [...redises, listener]) redis?.disconnect();
  await second?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** An entry on the first Redis, that a core has taken. @param silenceMaxMs how long others wait for one */
async function setUp(silenceMaxMs = patienceMs) {
  const names = createNames(freshPrefix());
  const madeGood: number[] = [];
  const states = redises.map(
    (redis, index) =>
      new ShardState({
        isConnected: () => redis.status === 'ready',
        works: () => true,
        makeGood: async () => void madeGood.push(index),
        silenceMaxMs,
      }),
  );
  opened.push(...states);
  const publisher = new ShardedPublisher(placement, states);
  for (const [index, redis] of redises.entries()) {
    const own = { redis, names, log: silent };
    publisher.join(
      index,
      new Publisher({ ...own, refuse: (answer) => answer, onFailed: () => states[index]?.miss() }),
    );
  }
  const [redis] = redises as [Redis, Redis];
  await redis.xgroup('CREATE', names.requests, names.cores, '0', 'MKSTREAM');
  const id = (await redis.xadd(names.requests, '*', 'requests', '[]')) as string;
  await redis.xreadgroup('GROUP', names.cores, 'core', 'STREAMS', names.requests, '>');
  await listener.subscribe(names.group(idOn(1)));
  const left = () => redis.xlen(names.requests);
  return { names, states, publisher, madeGood, id, left };
}

test('what is about a group is published on its Redis, and its entry leaves the one on which it came', async () => {
  const { names, publisher, id, left, madeGood } = await setUp();
  publisher.publish(names.group(idOn(1)), 'published', idOn(1));
  publisher.finish(id, 0, 0);
  await publisher.flushed();
  expect(await left()).toBe(0);
  await until('it is heard', () => heard.includes('published'));
  expect(madeGood).toEqual([]);
});

test('an entry stays in its stream until every other Redis has confirmed what was published there', async () => {
  const { names, publisher, id, left } = await setUp();
  process.kill(second.pid as number, 'SIGSTOP');
  publisher.publish(names.group(idOn(1)), 'confirmed', idOn(1));
  publisher.finish(id, 0, 0);
  // Two round trips behind it.
  expect([await left(), await left()]).toEqual([1, 1]);
  process.kill(second.pid as number, 'SIGCONT');
  await publisher.flushed();
  expect(await left()).toBe(0);
});

test('a Redis that is silent holds the entries of another one for a moment only, is left out, and has it made good', async () => {
  const { names, publisher, states, id, left, madeGood } = await setUp(500);
  process.kill(second.pid as number, 'SIGSTOP');
  try {
    publisher.publish(names.group(idOn(1)), 'late', idOn(1));
    publisher.finish(id, 0, 0);
    await publisher.flushed();
    await until('the entry has left', async () => (await left()) === 0);
    expect(states[1]?.isAway).toBe(true);
    publisher.publish(names.group(idOn(1)), 'left out', idOn(1));
    expect(madeGood).not.toContain(1);
  } finally {
    process.kill(second.pid as number, 'SIGCONT');
  }
  await until('it is made good', () => madeGood.includes(1));
  publisher.publish(names.group(idOn(1)), 'last', idOn(1));
  await until('the last one is heard', () => heard.includes('last'));
  expect(heard).not.toContain('left out');
});
