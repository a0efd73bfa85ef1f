import { createMetrics } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import type { Context } from '../context.ts';
import { createCoreMetrics } from '../metrics.ts';
import { type Handler, success } from '../requests/handler.ts';
import { Batcher } from './batcher.ts';

type Type = 'VERIFICATION_REQUEST_CODE';

test('of hundreds of requests that may all be under way, a few are begun in each turn of the event loop', async () => {
  let turn = 0;
  const begun = new Map<number, number>();
  const nextTurn = () => {
    turn += 1;
    if (left > 0) setImmediate(nextTurn);
  };
  let left = 300;
  setImmediate(nextTurn);
  const handler: Handler<Type> = {
    batchMax: 1,
    concurrency: 512,
    async handle(_, batch) {
      begun.set(turn, (begun.get(turn) ?? 0) + 1);
      return batch.map(() => success({}));
    },
  };
  const context = {
    config: { ANONYMOUS_REQUESTS_MAX: 1_000 },
    metrics: createCoreMetrics(createMetrics({ role: 'core' })),
    clock: { now: () => 0 },
    db: { epoch: { current: 0 } },
  } as unknown as Context;
  const entry = {
    id: '1-1',
    shard: 0,
    node: 'node',
    deadline: 9_000,
    requestsOpen: 300,
    areOutcomesKnown: true,
    failuresBefore: 0,
  };
  await new Promise<void>((resolve) => {
    const batcher = new Batcher<Type>(context, 'VERIFICATION_REQUEST_CODE', handler, () => {
      left -= 1;
      if (left === 0) resolve();
    });
    for (let ref = 0; ref < 300; ref += 1) {
      const params = { connection_id: 'c', address: 'a', country_code: '1', phone_number: '2' };
      const requests = [{ ref, request_id: `${ref}`, type: 'VERIFICATION_REQUEST_CODE' as const, params }];
      batcher.enqueue({ owner: `${ref}`, entry, deadline: 9_000, requests, weight: 1, mayBeDone: false });
    }
  });
  expect(Math.max(...begun.values())).toBeLessThanOrEqual(16);
  expect(begun.size).toBeGreaterThan(10);
});

test('a batch that met the lock of another one is tried together again, once that one has finished', async () => {
  const batches: number[] = [];
  const handler: Handler<'GROUP_STATES'> = {
    batchMax: 500,
    concurrency: 1,
    rowOf: () => 7,
    lockedRows: async () => new Set(),
    async handle(_, batch) {
      batches.push(batch.length);
      if (batches.length <= 2) throw Object.assign(new Error('locked'), { code: '55P03' });
      return batch.map(() => success({ states: [], looked: 0 }));
    },
  };
  const context = {
    config: { CORE_WAITING_MAX: 100 },
    metrics: createCoreMetrics(createMetrics({ role: 'core' })),
    log: { error() {} },
    clock: { now: () => 0 },
    db: { epoch: { current: 0 } },
  } as unknown as Context;
  const entry = {
    ...{ id: '1-1', shard: 0, node: 'node', deadline: 9_000, requestsOpen: 20, areOutcomesKnown: true },
    failuresBefore: 0,
  };
  let left = 20;
  await new Promise<void>((resolve) => {
    const batcher = new Batcher<'GROUP_STATES'>(context, 'GROUP_STATES', handler, () => {
      left -= 1;
      if (left === 0) resolve();
    });
    for (let ref = 0; ref < 20; ref += 1) {
      const params = { group_ids: [7] };
      const requests = [{ ref, request_id: `${ref}`, type: 'GROUP_STATES' as const, params }];
      batcher.enqueue({ owner: ref, entry, deadline: 9_000, requests, weight: 1, mayBeDone: false });
    }
  });
  expect(batches).toEqual([20, 20, 20]);
});
