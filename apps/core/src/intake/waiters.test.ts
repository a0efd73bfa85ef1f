import type { CoreRequest } from '@hooligram/contract';
import { beginEpoch, type Db, openDb } from '@hooligram/db';
import { createMetrics } from '@hooligram/service';
import { freshDatabase } from '@hooligram/testkit';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Context } from '../context.ts';
import { createCoreMetrics } from '../metrics.ts';
import { type Handler, success } from '../requests/handler.ts';
import type { Burst } from './bursts.ts';
import { tryBatch } from './run-batch.ts';
import { Waiters } from './waiters.ts';

type Type = 'OVERDUE_REPORT';

let url: string;
let db: Db;
let context: Context;
let now: number;

beforeEach(async () => {
  now = 0;
  url = await freshDatabase();
  db = openDb({ url, applicationName: 'run-batch-test', onEpoch: () => {} });
  await db.pool.query('SELECT 1');
  const [metrics, log, config] = [
    createCoreMetrics(createMetrics({ role: 'core' })),
    { error() {} },
    { CORE_WAITING_MAX: 100 },
  ];
  context = { db, metrics, log, config, clock: { now: () => now } } as unknown as Context;
});
afterEach(() => db.close());

async function beginNextEpoch(): Promise<void> {
  await beginEpoch(url);
  await db.epoch.check(db.pool);
}

const request = (ref: number): CoreRequest<Type> => ({
  ref,
  request_id: `${ref}`,
  type: 'OVERDUE_REPORT',
  params: { user_ids: [] },
});

/** A handler, and what it was called for in which epoch. It fails for a batch of two in the first one. */
function observed(within: (batch: readonly { request_id: string }[]) => Promise<void>) {
  const calls: [requests: string, epoch: 'first' | 'next'][] = [];
  const handler: Handler<Type> = {
    batchMax: 10,
    concurrency: 1,
    async handle(_, batch) {
      const isFirst = db.epoch.current === 0;
      calls.push([batch.map(({ request_id }) => request_id).join(), isFirst ? 'first' : 'next']);
      if (isFirst && batch.length === 2) throw new Error('one of them is poison');
      if (isFirst) await within(batch);
      return batch.map(() => success({}));
    },
  };
  return { calls, handler };
}

test('requests whose outcomes belong to two histories of the database all run again in the new one', async () => {
  const { calls, handler } = observed(async ([first]) => {
    if (first?.request_id === '2') await beginNextEpoch();
  });
  const entry = {
    id: '1-1',
    shard: 0,
    node: 'node',
    deadline: 1_000,
    requestsOpen: 2,
    areOutcomesKnown: true,
    failuresBefore: 0,
  };
  const requests = [request(1), request(2)];
  const burst: Burst<Type> = { owner: 1, entry, deadline: 1_000, requests, weight: 2, mayBeDone: false };
  const outcomes = await new Promise((resolve) => {
    const waiters = new Waiters(context, 'OVERDUE_REPORT', handler, (_, all) => resolve(all));
    waiters.add([burst], 'poisoned');
  });
  expect(calls).toEqual([
    ['1,2', 'first'],
    ['1', 'first'],
    ['2', 'first'],
    ['2', 'next'],
    ['1', 'next'],
    ['2', 'next'],
  ]);
  expect(outcomes).toEqual([success({}), success({})]);
});

test('an outcome of a history that is gone counts as unknown once the deadline has passed', async () => {
  const { calls, handler } = observed(async () => {
    await beginNextEpoch();
    now = 2_000;
  });
  const due = { ...request(1), deadline: 1_000 };
  expect(await tryBatch(context, 'OVERDUE_REPORT', handler, [due])).toEqual({
    is: 'done',
    outcomes: [undefined],
  });
  expect(calls).toEqual([['1', 'first']]);
});

const entry = {
  id: '1-1',
  shard: 0,
  node: 'node',
  deadline: 1_000,
  requestsOpen: 1,
  areOutcomesKnown: true,
  failuresBefore: 0,
};

test('a row that was still locked when its requests expired keeps later ones out of batches, until one of them succeeds', async () => {
  let isLocked = true;
  const handler: Handler<Type> = {
    batchMax: 10,
    concurrency: 1,
    rowOf: () => 7,
    async handle(_, batch) {
      if (isLocked) throw Object.assign(new Error('locked'), { code: '55P03' });
      return batch.map(() => success({}));
    },
  };
  const burst = (ref: number, deadline: number): Burst<Type> => ({
    ...{ owner: 1, entry, deadline, requests: [request(ref)], weight: 1, mayBeDone: false },
  });
  let onDone: (outcomes: unknown) => void = () => {};
  const waiters = new Waiters(context, 'OVERDUE_REPORT', handler, (_, outcomes) => onDone(outcomes));
  const done = () => new Promise((resolve) => (onDone = resolve));
  const expired = done();
  waiters.add([burst(1, 1_000)], 'locked');
  now = 2_000;
  expect(await expired).toBe('expired');
  isLocked = false;
  const stored = done();
  expect(waiters.accept(burst(2, 9_000))).toBe(true);
  expect(await stored).toEqual([success({})]);
  // The outcome is told amid the try; behind it the row is forgotten.
  await new Promise((resolve) => setImmediate(resolve));
  expect(waiters.accept(burst(3, 9_000))).toBe(false);
});

/** Requests for the rows that they name, of which 7 is locked until a test says otherwise. */
function setUpRows() {
  const seen = { isLocked: true, underWay: 0, most: 0, looks: 0 };
  const handler: Handler<Type> = {
    batchMax: 10,
    concurrency: 1,
    rowOf({ user_ids }) {
      seen.looks += 1;
      return user_ids[0] as number;
    },
    async handle(_, batch) {
      if (!seen.isLocked || !batch.some(({ params }) => params.user_ids[0] === 7)) {
        return batch.map(() => success({}));
      }
      seen.underWay += 1;
      seen.most = Math.max(seen.most, seen.underWay);
      await new Promise((resolve) => setImmediate(resolve));
      seen.underWay -= 1;
      throw Object.assign(new Error('locked'), { code: '55P03' });
    },
  };
  const over = (rows: readonly number[], deadline = 1_000): Burst<Type> => ({
    ...{ owner: 1, entry, deadline, weight: rows.length, mayBeDone: false },
    requests: rows.map((row) => ({ ...request(row), params: { user_ids: [row] } })),
  });
  const expected = new Map<Burst<Type>, (outcomes: unknown) => void>();
  const waiters = new Waiters(context, 'OVERDUE_REPORT', handler, (burst, outcomes) =>
    expected.get(burst)?.(outcomes),
  );
  const done = (burst: Burst<Type>) => new Promise((resolve) => expected.set(burst, resolve));
  return { seen, over, waiters, done };
}

test('a burst over two rows, one of which is locked, waits by itself: the other row is free for everybody else', async () => {
  const { over, waiters, done } = setUpRows();
  const [free, both] = [over([8]), over([8, 7])];
  const stored = done(free);
  waiters.add([both, free], 'locked');
  expect(await stored).toEqual([success({})]);
  // Nor does it take in what comes later.
  await new Promise((resolve) => setImmediate(resolve));
  expect(waiters.accept(over([8]))).toBe(false);
  // It ends.
  now = 2_000;
});

test('many bursts that need a locked row and another one are tried one at a time, and what needs one row has its places', async () => {
  const { over, waiters, done, seen } = setUpRows();
  const [free, ...both] = [over([9]), over([8, 7]), over([9, 7]), over([8, 7]), over([8, 7])];
  const stored = done(free as Burst<Type>);
  const all = both.map(done);
  waiters.add([...both, free as Burst<Type>], 'locked');
  expect(await stored).toEqual([success({})]);
  seen.isLocked = false;
  expect(await Promise.all(all)).toEqual(both.map(({ requests }) => requests.map(() => success({}))));
  expect(seen.most).toBe(1);
});

test('a burst over two rows that succeeds shows that neither is locked', async () => {
  const { over, waiters, done, seen } = setUpRows();
  const early = over([7]);
  const expired = done(early);
  waiters.add([early], 'locked');
  await new Promise((resolve) => setImmediate(resolve));
  now = 2_000;
  expect(await expired).toBe('expired');
  seen.isLocked = false;
  const both = over([8, 7], 9_000);
  const stored = done(both);
  expect(waiters.accept(both)).toBe(true);
  await stored;
  expect(waiters.accept(over([7], 9_000))).toBe(false);
});

test('a row that was locked for longer than its requests waited is forgotten after a minute, also if none comes again: then nothing looks at rows', async () => {
  const { over, waiters, done, seen } = setUpRows();
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const looksFor = (burst: Burst<Type>) => {
    const before = seen.looks;
    expect(waiters.accept(burst)).toBe(false);
    return seen.looks - before;
  };
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  try {
    const early = over([7]);
    const expired = done(early);
    waiters.add([early], 'locked');
    now = 2_000;
    // Until its try has ended, and the pause behind that has begun.
    for (let n = 0; n < 10; n += 1) {
      await turn();
      jest.advanceTimersByTime(100);
    }
    expect(await expired).toBe('expired');
    await turn();
    expect(looksFor(over([8]))).toBe(1);
    jest.advanceTimersByTime(62_000);
    expect(looksFor(over([8]))).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
