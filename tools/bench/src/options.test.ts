import { OptionsError } from '@hooligram/local';
import { expect, test } from '@jest/globals';
import { parseOptions, usage } from './options.ts';

test('flags are read, and have the defaults that the usage tells', () => {
  expect(parseOptions(['--workload', 'fanout,direct', '--runs', '3'])).toEqual({
    workloads: ['fanout', 'direct'],
    targets: ['ours'],
    goals: false,
    seconds: 10,
    warmUpSeconds: 4,
    runs: 3,
    pairs: 5_000,
    users: 10_000,
    rateTimes: 1,
    rows: 5_000_000,
    trialSecondsMax: 600,
    gateways: 2,
    cores: 1,
    redis: 1,
    port: 28_080,
    dataDir: '.data/bench',
    results: 'bench-results',
    urls: [],
    code: '000000',
    profile: '',
  });
});

test('all is every workload but growth, which has to be named', () => {
  const { workloads: all = [] } = parseOptions([]) ?? {};
  const { workloads: growth = [] } = parseOptions(['--workload', 'growth']) ?? {};
  expect(all).toEqual([
    'direct',
    'fanout',
    'paced-direct',
    'paced-fanout',
    'cold-direct',
    'cold-direct-230',
    'hot-direct',
    'cold-limit',
    'idle',
    'storm',
    'backlog',
    'day',
    'big',
    'hops',
  ]);
  expect(growth).toContain('growth-base');
  expect(growth.filter((name) => all.includes(name))).toEqual([]);
  const { workloads: slowLinks = [] } = parseOptions(['--workload', 'slow-links']) ?? {};
  expect(slowLinks).toEqual(['slow-link', 'slow-link-100000']);
  for (const name of slowLinks) expect(usage).toContain(`  ${name} `);
});

test('a name for several workloads can stand beside others, and each workload is measured once', () => {
  expect(parseOptions(['--workload', 'paced-fanout,paced', '--target', 'uws-limit,all'])).toMatchObject({
    workloads: ['paced-fanout', 'paced-direct'],
    targets: ['uws-limit', 'ours', 'socketio'],
  });
});

test('goals bring their own targets', () => {
  expect(parseOptions(['--goals', '--workload', 'big'])).toMatchObject({ goals: true, workloads: ['big'] });
  for (const flags of [
    ['--target', 'all'],
    ['--url', 'ws://127.0.0.1:8080/v2'],
  ]) {
    expect(() => parseOptions(['--goals', ...flags])).toThrow(OptionsError);
  }
});

test('only turns of one trial are compared at another rate than the usual one', () => {
  const flags = ['--workload', 'paced', '--rate-times', '4'];
  expect(parseOptions([...flags, '--target', 'scraped'])).toMatchObject({ rateTimes: 4 });
  for (const others of [[], ['--target', 'ours,scraped'], ['--goals'], ['--url', 'ws://127.0.0.1:8080/v2']]) {
    expect(() => parseOptions([...flags, ...others])).toThrow(OptionsError);
  }
});

test('the earlier names of the workloads with groups of 100 are accepted', () => {
  expect(parseOptions(['--workload', 'direct,rooms,storm,paced-rooms'])).toMatchObject({
    workloads: ['direct', 'fanout', 'storm', 'paced-fanout'],
  });
});

test('a system that already runs is named by its urls', () => {
  const urls = ['ws://127.0.0.1:8081/v2', 'ws://127.0.0.1:8082/v2'];
  expect(parseOptions(['--url', urls.join(','), '--code', '123456'])).toMatchObject({ urls, code: '123456' });
});

test('--help measures nothing, and names every flag that there is', () => {
  expect(parseOptions(['--help'])).toBeUndefined();
  const flags = usage.match(/--[a-z-]+(?= [A-Z]| )/g) ?? [];
  for (const flag of new Set(flags)) {
    // A flag that does not exist is refused as such; one that does, for its value.
    expect(() => parseOptions([flag])).not.toThrow(/unknown option/);
  }
});

test.each([
  ['--workload', 'marathon'],
  ['--workload', 'toString'],
  ['--workload', ''],
  ['--target', 'mosquitto'],
  ['--target', 'growth'],
  ['--seconds', '0'],
  ['--seconds', 'soon'],
  ['--runs', '1.5'],
  ['--gateways', '0'],
  ['--redis', '0'],
  ['--redis', 'list'],
  ['--users', '99'],
  ['--rate-times', '0'],
  ['--rate-times', '1.5'],
  ['--trial-max', '0'],
  ['--url', 'http://127.0.0.1:8080/v2'],
  ['--url', 'nonsense'],
  ['--data-dir', ''],
  ['--results', ''],
  ['--unknown', '1'],
  ['positional', '1'],
])('%s %s is refused in one line', (...args) => {
  expect(() => parseOptions(args)).toThrow(OptionsError);
  expect(() => parseOptions(args)).toThrow(/^[^\n]+$/);
});

test('a target and a system that already runs exclude each other', () => {
  const args = ['--url', 'ws://127.0.0.1:8080/v2', '--target', 'socketio'];
  expect(() => parseOptions(args)).toThrow(/^--url takes the place of --target/);
});
