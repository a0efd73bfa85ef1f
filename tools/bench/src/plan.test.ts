import { OptionsError } from '@hooligram/local';
import { expect, test } from '@jest/globals';
import { planOf } from './plan.ts';

test('a workload that a target cannot do is reported, and the others are measured', () => {
  const plan = planOf({ workloads: ['fanout', 'idle'], targets: ['ours', 'uws-limit'], urls: [] });
  expect(plan).toEqual({
    jobs: [
      { workload: 'fanout', target: 'ours' },
      { workload: 'fanout', target: 'uws-limit' },
      { workload: 'idle', target: 'ours' },
    ],
    notMeasured: ['idle is not measured on uws-limit: this work is for ours'],
  });
});

test('a system is measured scraped wherever it is measured, beside itself', () => {
  const { jobs } = planOf({ workloads: ['direct', 'idle'], targets: ['ours', 'scraped'], urls: [] });
  expect(jobs.map(({ workload, target }) => `${workload} ${target}`)).toEqual([
    'direct ours',
    'direct scraped',
    'idle ours',
    'idle scraped',
  ]);
});

test('on a system that already runs, memory and growth are not measured', () => {
  const urls = ['ws://127.0.0.1:8080/v2'];
  const plan = planOf({ workloads: ['direct', 'idle', 'growth-base'], targets: ['ours'], urls });
  expect(plan.jobs).toEqual([{ workload: 'direct', target: 'url' }]);
  expect(plan.notMeasured).toEqual([
    'idle is not measured on a system that already runs: it reads the memory of the gateways',
    'growth-base is not measured on a system that already runs: it needs systems of different sizes',
  ]);
});

test('when nothing can be measured the reasons are the error', () => {
  const plan = () => planOf({ workloads: ['storm'], targets: ['socketio'], urls: [] });
  expect(plan).toThrow(OptionsError);
  expect(plan).toThrow('storm is not measured on socketio: this work is for ours');
});
