import { freshPrefix, redisUrl, until } from '@hooligram/testkit';
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
async function write(added: Added, entriesMax = 100, behind: readonly number[] = []) {
  const names = createNames(freshPrefix());
  const failed: [WriteFailure, readonly number[]][] = [];
  const writer = createRequestWriter<number>({
    redis,
    clock,
    names,
    node: 'node',
    deadlineMs: 1_000,
    requestsMax: 4,
    entriesMax,
    bytesMax: 1_048_576,
    onFailed: (requests, failure) => failed.push([failure, requests]),
  });
  for (const request of behind) writer.addBehind(request);
  for (const [request, run] of added) writer.add(request, run);
  for (let ticks = 0; ticks <= behind.length; ticks += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Redis answers a connection in order: the entries are written when this has its answer.
  const written = await redis.xrange(names.requests, '-', '+');
  const entries = written.map(([id, fields]) => decodeEntry<number>(id, fields, { stream: names.requests }));
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

test('requests that give way leave behind those that were added later in their tick, where an entry has room', async () => {
  const a = {};
  const { entries } = await write([[1], [2], [3], [4], [5]], 100, [10, 11, 12, 13, 14]);
  expect(entries).toEqual([
    [1, 2, 3, 4],
    [5, 10, 11, 12],
    [13, 14],
  ]);
  const beside = await write([[1], [2], [3], [4]], 100, [10, 11, 12, 13, 14]);
  expect(beside.entries).toEqual([[1, 2, 3, 4], [10, 11, 12, 13], [14]]);
  const burst = await write([[1], [2, a], [3, a], [4, a], [5, a], [6, a]], 100, [10]);
  expect(burst.entries).toEqual([[1, 2, 3, 4, 5, 6], [10]]);
});

test('what was added in a tick leaves before what still gives way from the ticks before', async () => {
  const names = createNames(freshPrefix());
  const writer = createRequestWriter<number>({
    redis,
    clock,
    names,
    node: 'node',
    deadlineMs: 1_000,
    requestsMax: 2,
    entriesMax: 100,
    bytesMax: 1_048_576,
    onFailed() {},
  });
  for (const request of [10, 11, 12, 13]) writer.addBehind(request);
  for (const request of [1, 2]) writer.add(request);
  await new Promise((resolve) => setImmediate(resolve));
  for (const request of [3, 4, 5]) writer.add(request);
  for (let ticks = 0; ticks < 4; ticks += 1) await new Promise((resolve) => setImmediate(resolve));
  const written = await redis.xrange(names.requests, '-', '+');
  expect(
    written.map(([id, fields]) => decodeEntry<number>(id, fields, { stream: names.requests })),
  ).toMatchObject([
    { requests: [1, 2] },
    { requests: [3, 4] },
    { requests: [5, 10] },
    { requests: [11, 12] },
    { requests: [13] },
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

/** A writer of texts, each in an entry of its own; `finished` resolves when Redis has answered all that was added. */
function textWriter({ bytesMax = 64 * 1_048_576, entriesMax = 1_000 }) {
  const names = createNames(freshPrefix());
  const failures: string[] = [];
  const writer = createRequestWriter<string>({
    redis,
    clock,
    names,
    node: 'node',
    deadlineMs: 1_000,
    requestsMax: 500,
    entriesMax,
    bytesMax,
    onFailed: (_, failure, reason) => failures.push(`${failure}: ${reason}`),
  });
  const add = async (text: string) => {
    writer.add(text);
    await new Promise((resolve) => setImmediate(resolve));
    await redis.ping();
  };
  return { names, failures, writer, add };
}

test('a stream that has too many bytes takes no more, whoever wrote them, and takes some again when they are gone', async () => {
  const bytesMax = 65_536;
  const { names, failures, writer, add } = textWriter({ bytesMax });
  const text = 'x'.repeat(10_000);
  for (let times = 0; times < 10; times += 1) await add(text);
  expect(new Set(failures)).toEqual(new Set(['full: bytes']));
  const written = await redis.xlen(names.requests);
  expect(written).toBe(10 - failures.length);
  expect(writer.waitingBytes).toBeGreaterThan(written * text.length);
  expect(writer.waitingBytes).toBeLessThan(bytesMax + text.length);
  failures.length = 0;
  // Nobody counts what is deleted, so nobody can count it wrongly.
  const oldest = await redis.xrange(names.requests, '-', '+', 'COUNT', 2);
  await redis.xdel(names.requests, ...oldest.map(([id]) => id));
  await add(text);
  expect(failures).toEqual([]);
  for (let times = 0; times < 2; times += 1) await add(text);
  expect(failures).toContain('full: bytes');
  failures.length = 0;
  await redis.del(names.requests);
  // On an empty stream none is refused for its own size.
  await add('x'.repeat(2 * bytesMax));
  expect(failures).toEqual([]);
});

test('what may take a share of the stream fills an eighth of it, in entries without others, and the rest is for all', async () => {
  const names = createNames(freshPrefix());
  const failed: [WriteFailure, readonly number[], string][] = [];
  const writer = createRequestWriter<number>({
    redis,
    clock,
    names,
    node: 'node',
    deadlineMs: 1_000,
    requestsMax: 2,
    entriesMax: 24,
    bytesMax: 1_048_576,
    onFailed: (requests, failure, reason) => failed.push([failure, requests, reason]),
  });
  for (const request of [10, 11, 12]) writer.addWithinShare(request);
  writer.add(1);
  await new Promise((resolve) => setImmediate(resolve));
  writer.addWithinShare(13);
  writer.add(2);
  await new Promise((resolve) => setImmediate(resolve));
  const written = await redis.xrange(names.requests, '-', '+');
  const entries = written.map(([id, fields]) => decodeEntry<number>(id, fields, { stream: names.requests }));
  expect(entries).toMatchObject([
    { requests: [1] },
    { requests: [10, 11] },
    { requests: [12] },
    { requests: [2] },
  ]);
  // Redis has answered; the writer has not been told yet.
  await until('it is refused', () => failed.length > 0);
  expect(failed).toEqual([['full', [13], 'entries']]);
});

test('a long stream is bounded in bytes, too, between two measurements', async () => {
  const bytesMax = 1_048_576;
  const { names, failures, add } = textWriter({ bytesMax });
  for (let times = 0; times < 110; times += 1) await add('x'.repeat(5_000));
  expect(failures).toEqual([]);
  for (let times = 0; times < 100; times += 1) await add('x'.repeat(10_000));
  expect(new Set(failures)).toEqual(new Set(['full: bytes']));
  const bytes = Number(await redis.memory('USAGE', names.requests, 'SAMPLES', 0));
  // What an entry costs beside its fields is known at the next measurement.
  expect(bytes).toBeLessThan(1.1 * bytesMax);
  expect(bytes).toBeGreaterThan(bytesMax / 2);
  expect(await redis.pttl(names.requestsBytes)).toBeLessThanOrEqual(100);
  expect(await redis.pttl(names.requestsBytes)).not.toBe(-1);
});

test('the requests of a tick that are large leave in entries of about a mebibyte, never parting an order key', async () => {
  const { names, failures, writer } = textWriter({});
  const [a, b] = [{}, {}];
  const text = (letter: string) => letter.repeat(300_000);
  for (const letter of 'aaaaaa') writer.add(text(letter), a);
  for (const letter of 'bbb') writer.add(text(letter), b);
  for (const letter of 'cdef') writer.add(text(letter));
  await new Promise((resolve) => setImmediate(resolve));
  const written = await redis.xrange(names.requests, '-', '+');
  const entries = written.map(([id, fields]) => decodeEntry<string>(id, fields, { stream: names.requests }));
  const letters = entries.map((entry) =>
    'requests' in entry ? entry.requests.map((request) => request[0]).join('') : entry,
  );
  expect(failures).toEqual([]);
  expect(letters.join('')).toBe('aaaaaabbbcdef');
  // Those of one order key are together, however large.
  expect(letters.filter((one) => String(one).includes('a'))).toEqual(['aaaaaa']);
  expect(letters.filter((one) => String(one).includes('b'))).toHaveLength(1);
  for (const one of letters.slice(1)) expect(String(one).length).toBeLessThanOrEqual(3);
});
