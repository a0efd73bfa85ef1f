import { until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { Walk } from './walk.ts';

test('runs portions until there is nothing to do, goes on after a failure, and a stop waits for the one under way', async () => {
  const outcomes = [false, new Error('a store is away'), false, true];
  const failures: unknown[] = [];
  let runs = 0;
  let end: ((isOver: boolean) => void) | undefined;
  const walk = new Walk({
    everyMs: 1,
    onFailure: (err) => failures.push(err),
    async portion() {
      const outcome = outcomes[runs];
      runs += 1;
      if (outcome instanceof Error) throw outcome;
      return outcome ?? new Promise<boolean>((resolve) => (end = resolve));
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
  end?.(false);
  await stopped;
  expect(runs).toBe(5);
});
