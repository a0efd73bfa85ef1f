import type { Addition, Queues } from '@hooligram/bus/queues';
import { createMetrics } from '@hooligram/service';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { DeliveryCheckSchedule } from './delivery-check-schedule.ts';
import { createJobMetrics } from './metrics.ts';

const deadlineMs = 5_000;

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000, doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A schedule whose queue replies as Redis does: with the job that waits for a key. */
function fixture() {
  const waiting = new Map<string, string>();
  const calls: string[][] = [];
  const add = async (_: string, additions: readonly Addition[]) => {
    calls.push(additions.map(({ key }) => key));
    return additions.map(({ key, delayMs = 0 }) => {
      const own = `${key}.${Date.now() + delayMs}.x`;
      const id = waiting.get(key) ?? own;
      waiting.set(key, id);
      return { id, isNew: id === own };
    });
  };
  const queues = { add } as unknown as Queues;
  const checks = new DeliveryCheckSchedule({
    queues,
    deadlineMs,
    now: Date.now,
    metrics: createJobMetrics(createMetrics({ role: 'test' })),
  });
  return { waiting, calls, checks };
}

test('a busy group costs one round trip per period, however often its check is scheduled', async () => {
  const { waiting, calls, checks } = fixture();
  for (let elapsedMs = 0; elapsedMs < 4 * deadlineMs; elapsedMs += 100) {
    for (let times = 0; times < 10; times += 1) checks.schedule(7);
    await checks.settled();
    jest.setSystemTime(Date.now() + 100);
    if (Date.now() >= Number(waiting.get('7')?.split('.')[1])) waiting.delete('7');
  }
  // Once a period, and within its last half second again.
  expect(calls.length).toBeGreaterThanOrEqual(4);
  expect(calls.length).toBeLessThanOrEqual(4 * 6);
});

test('a job that another core scheduled earlier is relied on until it is due, and not longer', async () => {
  const { waiting, calls, checks } = fixture();
  waiting.set('7', `7.${Date.now() + 2_000}.other`);
  checks.schedule(7);
  await checks.settled();
  jest.setSystemTime(Date.now() + 1_000);
  checks.schedule(7);
  await checks.settled();
  expect(calls).toHaveLength(1);
  jest.setSystemTime(Date.now() + 600);
  checks.schedule(7);
  await checks.settled();
  expect(calls).toHaveLength(2);
});

test('a job whose id says that it is due in an hour is relied on for no longer than the deadline', async () => {
  const { waiting, calls, checks } = fixture();
  waiting.set('7', `7.${Date.now() + 3_600_000}.other`);
  checks.schedule(7);
  await checks.settled();
  jest.setSystemTime(Date.now() + deadlineMs);
  checks.schedule(7);
  await checks.settled();
  expect(calls).toHaveLength(2);
});

test('a job that is overdue, running or of an unknown id is not relied on', async () => {
  const { waiting, calls, checks } = fixture();
  for (const id of [`7.${Date.now()}.x`, 'repeat:7', '7']) {
    waiting.set('7', id);
    checks.schedule(7);
    await checks.settled();
  }
  expect(calls).toHaveLength(3);
});

test('when Redis was emptied no job is relied on', async () => {
  const { calls, checks } = fixture();
  checks.schedule(7);
  await checks.settled();
  checks.forget();
  checks.schedule(7);
  await checks.settled();
  expect(calls).toHaveLength(2);
});
