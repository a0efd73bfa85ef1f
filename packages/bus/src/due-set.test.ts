import { freshPrefix, redisUrl } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { connectRedis } from './connection.ts';
import { DueSet } from './due-set.ts';
import { createNames } from './names.ts';
import { Publisher } from './publisher.ts';

const silent = { info() {}, warn() {}, error() {} };

let redis: Redis;
beforeAll(async () => {
  redis = await connectRedis(await redisUrl(), { role: 'command', name: 'test', log: silent });
});
afterAll(() => redis.disconnect());

const open = (names = createNames(freshPrefix()), connection = redis) => {
  const publisher = new Publisher({
    ...{ redis: connection, names },
    refuse: () => ({}),
    log: silent,
  });
  return new DueSet(connection, names.dueGroups, (commands) => publisher.ask(commands));
};

test('what is due is taken once, the earliest first, and nothing before its moment', async () => {
  const due = open();
  await due.add([3, 4], 2_000);
  await due.add([1, 2], 1_000);
  expect(await due.take('a', 999, 10)).toEqual([]);
  expect(await due.take('a', 1_500, 10)).toEqual([1, 2]);
  await due.finish('a', [1, 2]);
  expect(await due.take('b', 2_000, 1)).toEqual([3]);
  expect(await due.take('c', 2_000, 10)).toEqual([4]);
});

test('an id that waits is not put off by being added again, and can be brought forward', async () => {
  const due = open();
  expect(await due.add([1, 2], 1_000)).toEqual([1_000, 1_000]);
  expect(await due.add([1, 3], 5_000)).toEqual([1_000, 5_000]);
  expect(await due.add([2], 500)).toEqual([500]);
  expect(await due.take('a', 500, 10)).toEqual([2]);
  await due.finish('a', [2]);
  expect(await due.take('a', 1_000, 10)).toEqual([1]);
  await due.finish('a', [1]);
  expect(await due.take('a', 4_999, 10)).toEqual([]);
});

test('a job that died takes in its next run what it had taken, and no other job does', async () => {
  const due = open();
  await due.add([1, 2, 3], 1_000);
  const taken = await due.take('died', 1_000, 2);
  expect(await due.take('other', 1_000, 10)).toEqual([3]);
  expect((await due.take('died', 1_000, 10)).sort()).toEqual(taken);
  await due.finish('died', [1]);
  expect(await due.take('died', 1_000, 10)).toEqual([2]);
  await due.finish('died', [2]);
  expect(await due.take('died', 1_000, 10)).toEqual([]);
});

test('what is added while a job works on the same id waits for its own moment, and does not end with that job', async () => {
  const due = open();
  await due.add([1], 1_000);
  expect(await due.take('first', 1_000, 10)).toEqual([1]);
  await due.add([1], 2_000);
  await due.finish('first', [1]);
  expect(await due.take('second', 1_999, 10)).toEqual([]);
  expect(await due.take('second', 2_000, 10)).toEqual([1]);
});

test('adding and taking fail while Redis is away', async () => {
  const lost = await connectRedis(await redisUrl(), { role: 'command', name: 'lost', log: silent });
  const due = open(undefined, lost);
  lost.disconnect();
  await expect(due.add([1], 1_000)).rejects.toThrow();
  await expect(due.take('a', 1_000, 10)).rejects.toThrow();
});

test('nothing is left in Redis when everything is finished', async () => {
  const names = createNames(freshPrefix());
  const name = names.dueGroups;
  const due = open(names);
  await due.add([1, 2, 3], 1_000);
  await due.finish('a', await due.take('a', 1_000, 10));
  expect(await redis.keys(`${name}*`)).toEqual([]);
});
