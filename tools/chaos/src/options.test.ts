import { OptionsError } from '@hooligram/local';
import { expect, test } from '@jest/globals';
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
