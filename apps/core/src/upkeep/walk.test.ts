import { until } from '@hooligram/testkit';
import { afterEach, expect, jest, test } from '@jest/globals';
import { restFactor, Walk } from './walk.ts';

const hourMs = 3_600_000;

afterEach(() => {
  jest.useRealTimers();
});

test('runs portions until there is nothing to do, goes on after a failure, and a stop waits for the one under way', async () => {
  const outcomes = [false, new Error('a store is away'), false, true];
  const failures: unknown[] = [];
  let runs = 0;
  let end: (() => void) | undefined;
  const done = (is_over: boolean) => ({ is_over, pass_ms: 0 });
  const walk = new Walk({
    everyMs: 1,
    onFailure: (err) => failures.push(err),
    async portion() {
      const outcome = outcomes[runs];
      runs += 1;
      if (outcome instanceof Error) throw outcome;
      if (outcome !== undefined) return done(outcome);
      return new Promise<ReturnType<typeof done>>((resolve) => {
        end = () => resolve(done(false));
      });
    },
  });
  await until('the portion that does not end', async () => end !== undefined);
  expect(runs).toBe(5);
  expect(failures).toEqual([outcomes[1]]);
  let isStopped = false;
  const stopped = walk.stop().then(() => {
    isStopped = true;
  });
  await Promise.resolve();
  expect(isStopped).toBe(false);
  end?.();
  await stopped;
  expect(runs).toBe(5);
});

test('rests less the longer a pass takes, down to half of the time after a day', () => {
  const hours = [-1, 0, 8, 16, 24, 48];
  expect(hours.map((each) => restFactor(each * hourMs))).toEqual([4, 4, 3, 2, 1, 1]);
});

test.each([
  ['has just begun', 400, 0],
  ['has lasted for a day', 100, 24 * hourMs],
])('after a portion of 100 ms, a pass that %s rests for %d', async (_, restMs, pass_ms) => {
  jest.useFakeTimers();
  const begun: number[] = [];
  const walk = new Walk({
    everyMs: 1,
    onFailure() {},
    portion() {
      begun.push(performance.now());
      return new Promise((resolve) => setTimeout(() => resolve({ is_over: false, pass_ms }), 100));
    },
  });
  await jest.advanceTimersByTimeAsync(2_000);
  const [first = 0, second = 0, third = 0] = begun;
  expect([second - first, third - second]).toEqual([100 + restMs, 100 + restMs]);
  const stopped = walk.stop();
  await jest.advanceTimersByTimeAsync(100);
  await stopped;
});
