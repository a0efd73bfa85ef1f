import { freshPrefix, redisUrl } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type RedisClock, startRedisClock } from './clock.ts';
import { connectRedis } from './connection.ts';
import { decodeEntry } from './entry.ts';
import { createNames } from './names.ts';
import { createRequestWriter, type WriteFailure } from './request-writer.ts';

const silent = { info() {}, warn() {}, error() {} };

let redis: Redis;
let clock: RedisClock;
beforeAll(async () => {
  redis = await connectRedis(await redisUrl(), { role: 'command', name: 'test', log: silent });
  clock = await startRedisClock(redis);
});
afterAll(() => {
  clock.close();
  redis.disconnect();
});

type Added = readonly (readonly [request: number, run?: object])[];

/** What a writer with at most four requests an entry writes of one turn, and what it gives back. */
async function write(added: Added, entriesMax = 100) {
  const stream = createNames(freshPrefix()).requests;
  const failed: [WriteFailure, readonly number[]][] = [];
  const writer = createRequestWriter<number>({
    redis,
    clock,
    stream,
    node: 'node',
    deadlineMs: 1_000,
    requestsMax: 4,
    entriesMax,
    onFailed: (requests, failure) => failed.push([failure, requests]),
  });
  for (const [request, run] of added) writer.add(request, run);
  await new Promise((resolve) => setImmediate(resolve));
  // Redis answers a connection in order: the entries are written when this has its answer.
  const written = await redis.xrange(stream, '-', '+');
  const entries = written.map(([id, fields]) => decodeEntry<number>(id, fields));
  return { failed, entries: entries.map((entry) => ('requests' in entry ? entry.requests : entry)) };
}

async function entriesOf(added: Added) {
  const { entries, failed } = await write(added);
  expect(failed).toEqual([]);
  return entries;
}

test('the requests of one tick leave in as few entries as their size allows, in order', async () => {
  expect(await entriesOf([[1], [2], [3]])).toEqual([[1, 2, 3]]);
  expect(await entriesOf([[1], [2], [3], [4], [5], [6], [7], [8], [9]])).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9],
  ]);
});

test('requests of one order key are never parted, because two entries may go to two cores', async () => {
  const [a, b] = [{}, {}];
  expect(await entriesOf([[1], [2], [3, a], [4, a], [5, a], [6, a], [7, b], [8, b]])).toEqual([
    [1, 2, 3, 4, 5, 6],
    [7, 8],
  ]);
  expect(
    await entriesOf([
      [1, a],
      [2, a],
      [3, a],
      [4, a],
      [5, b],
      [6, b],
    ]),
  ).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ]);
});

test('a stream that is full takes no more, and the caller learns it at once', async () => {
  const { entries, failed } = await write([[1], [2], [3], [4], [5], [6], [7], [8], [9]], 2);
  expect(entries).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
  expect(failed).toEqual([['full', [9]]]);
});
