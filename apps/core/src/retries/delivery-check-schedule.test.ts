import type { DueSet } from '@hooligram/bus';
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

/** A schedule whose Redis replies with what waits, and never takes it. */
function fixture() {
  const waiting = new Map<number, number>();
  const calls: number[][] = [];
  const jobs: string[] = [];
  const frozen = { ms: 0 };
  const dueGroups = {
    async add(ids: readonly number[], dueAt: number) {
      jest.setSystemTime(Date.now() + frozen.ms);
      calls.push([...ids]);
      for (const id of ids) waiting.set(id, Math.min(dueAt, waiting.get(id) ?? dueAt));
      return ids.map((id) => waiting.get(id));
    },
  } as unknown as DueSet;
  const add = async (_: string, additions: readonly Addition[]) => {
    jobs.push(...additions.map(({ key }) => key));
    return additions.map(({ key }) => ({ id: key, isNew: true }));
  };
  const checks = new DeliveryCheckSchedule({
    dueGroups,
    queues: { add } as unknown as Queues,
    deadlineMs,
    now: Date.now,
    metrics: createJobMetrics(createMetrics({ role: 'test' })),
  });
  return { waiting, calls, jobs, frozen, checks };
}

test('one job stands for all groups of a bucket, and it is due when the youngest of them is, half a second later at most', async () => {
  const { calls, jobs, waiting, checks } = fixture();
  for (let group_id = 1; group_id <= 400; group_id += 1) {
    checks.schedule(group_id);
    await checks.settled();
    const due = waiting.get(group_id) as number;
    expect(due - Date.now()).toBeGreaterThanOrEqual(deadlineMs);
    expect(due - Date.now()).toBeLessThan(deadlineMs + 500);
    expect(jobs.at(-1)).toBe(String(due));
    jest.setSystemTime(Date.now() + 5);
  }
  expect(calls).toHaveLength(400);
  // 400 groups in two seconds.
  expect(jobs.length).toBeLessThanOrEqual(5);
});

test('the groups of one tick cost one command', async () => {
  const { calls, checks } = fixture();
  for (const group_id of [1, 2, 1, 3]) checks.schedule(group_id);
  await checks.settled();
  expect(calls).toEqual([[1, 2, 3]]);
});

test('a busy group costs one round trip per period, however often its check is scheduled', async () => {
  const { waiting, calls, checks } = fixture();
  for (let elapsedMs = 0; elapsedMs < 4 * deadlineMs; elapsedMs += 100) {
    for (let times = 0; times < 10; times += 1) checks.schedule(7);
    await checks.settled();
    jest.setSystemTime(Date.now() + 100);
    if (Date.now() >= (waiting.get(7) ?? 0)) waiting.delete(7);
  }
  // Once a period, and within its last half second again.
  expect(calls.length).toBeGreaterThanOrEqual(4);
  expect(calls.length).toBeLessThanOrEqual(4 * 6);
});

test('a check that another core scheduled earlier is relied on until it is due, and not longer', async () => {
  const { waiting, calls, checks } = fixture();
  waiting.set(7, Date.now() + 2_000);
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

test('a core adds the job of the bucket in which its group waits already, once, and none of its own', async () => {
  const { waiting, jobs, checks } = fixture();
  const due = Date.now() + 3_000;
  for (const group_id of [1, 2, 3]) {
    waiting.set(group_id, due);
    checks.schedule(group_id);
    await checks.settled();
  }
  expect(jobs).toEqual([String(due)]);
});

test('a check that is said to be due in an hour is relied on for no longer than the deadline', async () => {
  const { waiting, calls, checks } = fixture();
  waiting.set(7, Date.now() + 3_600_000);
  checks.schedule(7);
  await checks.settled();
  jest.setSystemTime(Date.now() + deadlineMs);
  checks.schedule(7);
  await checks.settled();
  expect(calls).toHaveLength(2);
});

test('a check that is due, or was taken a moment ago, is not relied on', async () => {
  const { waiting, calls, checks } = fixture();
  for (const due of [Date.now(), 0]) {
    waiting.set(7, due);
    checks.schedule(7);
    await checks.settled();
  }
  checks.schedule(7);
  await checks.settled();
  expect(calls).toHaveLength(3);
});

test('a check that found something too young has the next one scheduled, whatever is known of its group', async () => {
  const { calls, checks } = fixture();
  checks.schedule(7);
  await checks.settled();
  checks.scheduleNext(7);
  await checks.settled();
  expect(calls).toEqual([[7], [7]]);
});

test('a job that may have begun while this process was frozen, before Redis had its groups, is added again', async () => {
  const { jobs, frozen, checks } = fixture();
  for (const [group_id, ms] of [0, 0, deadlineMs].entries()) {
    frozen.ms = ms;
    checks.schedule(group_id + 1);
    await checks.settled();
  }
  expect(jobs).toHaveLength(2);
  expect(jobs[1]).toBe(jobs[0]);
});

test('when Redis was emptied nothing is relied on', async () => {
  const { calls, jobs, checks } = fixture();
  checks.schedule(7);
  await checks.settled();
  checks.forget();
  checks.schedule(7);
  await checks.settled();
  expect([calls.length, jobs.length]).toEqual([2, 2]);
});
