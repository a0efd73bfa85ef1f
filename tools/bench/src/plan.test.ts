import { OptionsError } from '@hooligram/local';
import { expect, test } from '@jest/globals';
import { jobsOfRound, planOf } from './plan.ts';
import { workloadNames, workloads } from './workloads/index.ts';

test('a workload that a target cannot do is reported, and the others are measured', () => {
  const plan = planOf({
    workloads: ['fanout', 'idle'],
    targets: ['ours', 'uws-limit'],
    urls: [],
    goals: false,
  });
  expect(plan).toEqual({
    jobs: [
      { workload: 'fanout', target: 'ours' },
      { workload: 'fanout', target: 'uws-limit' },
      { workload: 'idle', target: 'ours' },
    ],
    notMeasured: ['idle is not measured on uws-limit: this work is for ours'],
  });
});

test('a system is measured traced wherever it is measured, and scraped where it sends at a rate', () => {
  const { jobs, notMeasured } = planOf({
    workloads: ['direct', 'idle'],
    targets: ['ours', 'scraped', 'traced'],
    urls: [],
    goals: false,
  });
  expect(jobs.map(({ workload, target }) => `${workload} ${target}`)).toEqual([
    'direct ours',
    'direct scraped',
    'direct traced',
    'idle ours',
    'idle traced',
  ]);
  expect(notMeasured).toEqual(['idle is not measured on scraped: this work is for ours']);
});

test('every second round is measured backwards, so that neither of two targets always comes behind the other', () => {
  const { jobs } = planOf({
    workloads: ['direct', 'fanout'],
    targets: ['ours', 'scraped'],
    urls: [],
    goals: false,
  });
  expect(jobsOfRound(jobs, 1)).toEqual(jobs);
  expect(jobsOfRound(jobs, 2).map(({ workload, target }) => `${workload} ${target}`)).toEqual([
    'fanout scraped',
    'fanout ours',
    'direct scraped',
    'direct ours',
  ]);
  expect(jobsOfRound(jobs, 3)).toEqual(jobs);
});

test('on a system that already runs, memory and growth are not measured', () => {
  const urls = ['ws://127.0.0.1:8080/v2'];
  const plan = planOf({
    workloads: ['direct', 'idle', 'growth-base'],
    targets: ['ours'],
    urls,
    goals: false,
  });
  expect(plan.jobs).toEqual([{ workload: 'direct', target: 'url' }]);
  expect(plan.notMeasured).toEqual([
    'idle is not measured on a system that already runs: it reads the memory of the gateways',
    'growth-base is not measured on a system that already runs: it needs systems of different sizes',
  ]);
});

test('when nothing can be measured the reasons are the error', () => {
  const plan = () => planOf({ workloads: ['storm'], targets: ['socketio'], urls: [], goals: false });
  expect(plan).toThrow(OptionsError);
  expect(plan).toThrow('storm is not measured on socketio: this work is for ours');
});

test('for goals each workload is measured on what it is compared with, and on nothing else', () => {
  const plan = planOf({ workloads: workloadNames, targets: ['ours'], urls: [], goals: true });
  expect(plan.jobs).toEqual(expect.arrayContaining([{ workload: 'direct', target: 'uws-limit' }]));
  expect(plan.jobs.filter(({ target }) => target !== 'ours')).toEqual([
    { workload: 'direct', target: 'uws-limit' },
    { workload: 'fanout', target: 'uws-limit' },
    { workload: 'paced-direct', target: 'socketio' },
  ]);
  expect(
    plan.jobs.every(({ workload, target }) => workloads[workload].targets.some((able) => able === target)),
  ).toBe(true);
  const few = planOf({ workloads: ['big', 'day'], targets: ['ours'], urls: [], goals: true });
  expect(few.jobs).toEqual([{ workload: 'big', target: 'ours' }]);
  const none = () => planOf({ workloads: ['day'], targets: ['ours'], urls: [], goals: true });
  expect(none).toThrow('no goal is about day');
});
