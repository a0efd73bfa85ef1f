import { expect, test } from '@jest/globals';
import { Duration, secondsMaxOf } from './duration.ts';
import type { Job } from './plan.ts';
import { workloads } from './workloads/index.ts';

const jobs: Job[] = [
  { workload: 'direct', target: 'ours' },
  { workload: 'idle', target: 'ours' },
];
const options = { seconds: 10, warmUpSeconds: 5, runs: 2, trialSecondsMax: 600 };

test('how long all trials take is guessed, and corrected by those that are over', () => {
  const duration = new Duration(jobs, options);
  const [direct, idle] = [workloads.direct, workloads.idle].map(({ besideSeconds }) => besideSeconds + 15);
  expect(duration.trials).toBe(4);
  expect(duration.leftSeconds).toBe(2 * ((direct as number) + (idle as number)));
  expect(duration.add(jobs[0] as Job, 2 * (direct as number))).toMatch(
    /^trial 1 of 4 took \d+ s; about \d+ /,
  );
  expect(duration.leftSeconds).toBeCloseTo(2 * ((direct as number) + 2 * (idle as number)));
});

test('no trial is guessed to take longer than it may', () => {
  expect(new Duration(jobs, { ...options, trialSecondsMax: 20 }).leftSeconds).toBe(4 * 20);
});

test('a trial of a workload that needs longer than --trial-max says is given its time', () => {
  expect(secondsMaxOf({ workload: 'direct' }, options)).toBe(600);
  expect(secondsMaxOf({ workload: 'slow-link-100000' }, options)).toBeGreaterThan(
    workloads['slow-link-100000'].besideSeconds,
  );
  expect(secondsMaxOf({ workload: 'slow-link-100000' }, { trialSecondsMax: 86_400 })).toBe(86_400);
});
