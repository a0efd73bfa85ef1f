import type { Addition, Queues } from '@hooligram/bus/queues';
import { createMetrics } from '@hooligram/service';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createAudits } from './delivery-check-schedule.ts';
import { createJobMetrics } from './metrics.ts';

const deadlineMs = 5_000;

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000, doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** Answers as Redis does: with the job that stands for a key. */
function standIn() {
  const standing = new Map<string, string>();
  const calls: string[][] = [];
  const add = async (_: string, additions: readonly Addition[]) => {
    calls.push(additions.map(({ key }) => key));
    return additions.map(({ key, delayMs = 0 }) => {
      const own = `${key}.${Date.now() + delayMs}.x`;
      const id = standing.get(key) ?? own;
      standing.set(key, id);
      return { id, isNew: id === own };
    });
  };
  const queues = { add } as unknown as Queues;
  const audits = createAudits({
    queues,
    deadlineMs,
    now: Date.now,
    metrics: createJobMetrics(createMetrics({ role: 'test' })),
  });
  return { standing, calls, audits };
}

test('a busy group costs one round trip a period, however often it is armed', async () => {
  const { standing, calls, audits } = standIn();
  for (let elapsedMs = 0; elapsedMs < 4 * deadlineMs; elapsedMs += 100) {
    for (let times = 0; times < 10; times += 1) audits.arm(7);
    await audits.settled();
    jest.setSystemTime(Date.now() + 100);
    if (Date.now() >= Number(standing.get('7')?.split('.')[1])) standing.delete('7');
  }
  // Once a period, and within its last half second again.
  expect(calls.length).toBeGreaterThanOrEqual(4);
  expect(calls.length).toBeLessThanOrEqual(4 * 6);
});

test('a job that another core armed earlier is relied on until it is due, and not longer', async () => {
  const { standing, calls, audits } = standIn();
  standing.set('7', `7.${Date.now() + 2_000}.other`);
  audits.arm(7);
  await audits.settled();
  jest.setSystemTime(Date.now() + 1_000);
  audits.arm(7);
  await audits.settled();
  expect(calls).toHaveLength(1);
  jest.setSystemTime(Date.now() + 600);
  audits.arm(7);
  await audits.settled();
  expect(calls).toHaveLength(2);
});

test('a job whose id says that it is due in an hour is relied on for no longer than an audit takes to be due', async () => {
  const { standing, calls, audits } = standIn();
  standing.set('7', `7.${Date.now() + 3_600_000}.other`);
  audits.arm(7);
  await audits.settled();
  jest.setSystemTime(Date.now() + deadlineMs);
  audits.arm(7);
  await audits.settled();
  expect(calls).toHaveLength(2);
});

test('a job that is overdue, running or of an unknown id is not relied on', async () => {
  const { standing, calls, audits } = standIn();
  for (const id of [`7.${Date.now()}.x`, 'repeat:7', '7']) {
    standing.set('7', id);
    audits.arm(7);
    await audits.settled();
  }
  expect(calls).toHaveLength(3);
});

test('when Redis has lost its memory nothing is relied on', async () => {
  const { calls, audits } = standIn();
  audits.arm(7);
  await audits.settled();
  audits.forget();
  audits.arm(7);
  await audits.settled();
  expect(calls).toHaveLength(2);
});
