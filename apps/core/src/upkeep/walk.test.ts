import { until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { restFactor, Walk } from './walk.ts';

test('runs portions until there is nothing to do, goes on after a failure, and a stop waits for the one under way', async () => {
  const outcomes = [false, new Error('a store is away'), false, true];
  const failures: unknown[] = [];
  let runs = 0;
  let end: (() => void) | undefined;
  const done = (isOver: boolean) => ({ isOver, passMs: 0 });
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

test('rests less the longer a pass takes, and not at all after a day', () => {
  const hourMs = 3_600_000;
  expect([0, 6, 12, 24, 48].map((hours) => restFactor(hours * hourMs))).toEqual([4, 3, 2, 0, 0]);
});
