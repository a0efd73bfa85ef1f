import { readConfig } from '@hooligram/service';
import { expect, test } from '@jest/globals';
import { upkeepConfig } from './config.ts';

const read = (env: Record<string, string>) => readConfig(upkeepConfig, env, 'core');

test('messages are kept for good unless a time is given, and answers for the seven days that the protocol promises', () => {
  expect(read({})).toMatchObject({ ANSWERS_DAYS: 7 });
  expect(read({}).RETENTION_DAYS).toBeUndefined();
  expect(read({ RETENTION_DAYS: '30', UNDELIVERED_DAYS: '90' })).toMatchObject({
    RETENTION_DAYS: 30,
    UNDELIVERED_DAYS: 90,
  });
});

test.each([
  [{ ANSWERS_DAYS: '6' }, 'ANSWERS_DAYS must be an integer from 7 to 36500'],
  [{ RETENTION_DAYS: '6' }, 'RETENTION_DAYS must be an integer from 7 to 36500'],
  [{ RETENTION_DAYS: '20', ANSWERS_DAYS: '30' }, 'RETENTION_DAYS must be at least ANSWERS_DAYS'],
  [{ UNDELIVERED_DAYS: '30' }, 'UNDELIVERED_DAYS needs RETENTION_DAYS'],
  [{ RETENTION_DAYS: '30', UNDELIVERED_DAYS: '29' }, 'UNDELIVERED_DAYS must be at least RETENTION_DAYS'],
])('%j is refused: %s', (env, fault) => {
  expect(() => read(env as Record<string, string>)).toThrow(fault);
});
