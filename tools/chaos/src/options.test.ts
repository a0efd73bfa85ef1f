import { OptionsError } from '@hooligram/local';
import { expect, test } from '@jest/globals';
import { faultNamesOf } from './faults/index.ts';
import { parseOptions, usage } from './options.ts';

test('flags are read, and have the defaults that the usage tells', () => {
  expect(parseOptions(['--minutes', '10', '--seed', '5', '--only', 'flushall,vanish'])).toMatchObject({
    minutes: 10,
    seed: 5,
    only: ['flushall', 'vanish'],
    gateways: 3,
    cores: 2,
    clients: 120,
    rate: 60,
    redis: 'one',
    coldGroups: 60,
    heavyGroups: 40,
    largeGroup: 300,
    port: 18_080,
    dataDir: '.data/chaos',
    selfTest: undefined,
  });
  expect(usage).toContain('ack-before-client');
});

test('with --alerts, every fault has an alert to fire, or none; a short campaign has seven, and quiet has none', () => {
  const faultsOf = (...flags: string[]) => parseOptions(['--alerts', ...flags])?.alertFaults;
  expect(faultsOf()).toEqual(expect.arrayContaining([...faultNamesOf('one'), 'cut-canary']));
  for (const form of ['sentinel', 'cluster']) {
    expect(faultsOf('--redis', form)).toEqual(['demote-primary', 'kill-primary', 'freeze-primary']);
  }
  expect(faultsOf('--redis', 'list')).toEqual(['kill-shard']);
  expect(faultsOf('--short')).toHaveLength(7);
  expect(faultsOf('--only', 'kill-core,cut-canary')).toEqual(['kill-core', 'cut-canary']);
  expect(faultsOf('--only', 'quiet')).toEqual([]);
});

test('--help injects nothing', () => {
  expect(parseOptions(['--help'])).toBeUndefined();
});

test('a self-test is named by --self-test, or by the earlier name of the flag', () => {
  expect(parseOptions(['--self-test', 'send-twice'])).toMatchObject({ selfTest: 'send-twice' });
  expect(parseOptions(['--sabotage', 'send-twice'])).toMatchObject({ selfTest: 'send-twice' });
});

test.each([
  ['--minutes', 'soon'],
  ['--minutes', '0'],
  ['--seed', '-1'],
  ['--only', 'earthquake'],
  ['--only', 'toString'],
  ['--gateways', '0'],
  ['--redis', 'several'],
  ['--only', 'kill-primary'],
  ['--redis', 'sentinel', '--only', 'kill-redis'],
  ['--only', 'quiet'],
  ['--only', 'cut-canary'],
  ['--alerts', '--redis', 'list', '--only', 'kill-redis'],
  ['--alerts', '--only', 'kill-shard'],
  ['--alerts', '--rolling', 'haproxy'],
  ['--rolling', 'haproxy', '--previous', 'main'],
  ['--alerts', '--only', 'kill-primary'],
  ['--data-dir', ''],
  ['--redis', 'two'],
  ['--self-test', 'nothing'],
  ['--sabotage', 'nothing'],
  ['--unknown', '1'],
  ['positional', '1'],
])('%s %s is refused in one line', (...args) => {
  expect(() => parseOptions(args)).toThrow(OptionsError);
  expect(() => parseOptions(args)).toThrow(/^[^\n]+$/);
});
