import { createLog, createMetrics, readConfig } from '@hooligram/service';
import { afterEach, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { verificationConfig } from '../verification/config.ts';
import { createCredentials } from '../verification/credential.ts';
import { digitsFor, expectedTakeovers } from './arithmetic.ts';
import { limitsConfig } from './config.ts';
import { createLimits, type Limits } from './index.ts';
import type { Familiarity } from './source.ts';

const limitsOfDefault = readConfig(limitsConfig, {});
const digits = readConfig(verificationConfig, { CREDENTIAL_KEY: 'k'.repeat(32) }).VERIFICATION_CODE_DIGITS;
const dayMs = 24 * 60 * 60_000;

const redis = new Redis('redis://127.0.0.1:1', { enableOfflineQueue: false, lazyConnect: true });
redis.on('error', () => {});
afterEach(() => {
  jest.useRealTimers();
  redis.disconnect();
});

/** Only clocks: what waits for Redis waits as always. */
function moveClock(): void {
  jest.useFakeTimers({
    now: 0,
    doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'],
  });
}

function defaultLimits(): Limits {
  const metrics = createMetrics({ role: 'core' });
  const log = createLog({ name: 'core', level: 'silent' });
  return createLimits(limitsOfDefault, createCredentials(['k'.repeat(32)]), {
    shardOf: () => ({ redis: { command: redis }, names: { limits: 'p:limit' } }),
    metrics,
    log,
  });
}

/** @returns how many of these guesses were told to be wrong */
async function guess({ guesses }: Limits, sid: string, address: string, isKnown = false): Promise<number> {
  const allowed = await guesses.allow({ sid, address }, async () => isKnown);
  if ('seconds' in allowed) return 0;
  return 'seconds' in (await guesses.take({ sid, address }, allowed.budget)) ? 0 : 1;
}

/** @returns 1 if a code was sent, and guessed at for the first time */
async function guessAtText(
  { texts, guesses }: Limits,
  sid: string,
  address: string,
  familiarity: Familiarity = 'user',
): Promise<number> {
  if ('seconds' in (await texts.take({ sid, address }, async () => familiarity))) return 0;
  return (await guesses.takeFirstOfText(`${sid} ${address} ${Date.now()}`)) ? 1 : 0;
}

test('one known number is taken over with a chance of at most 1 in 10,000 a year from all addresses, any number from 1,000 addresses less than once; the default of digits follows', () => {
  const { ofOneNumber, ofAnyNumber } = expectedTakeovers(limitsOfDefault, digits, 1_000);
  expect(ofOneNumber).toBeLessThanOrEqual(1 / 10_000);
  expect(ofAnyNumber).toBeLessThan(1);
  expect(digitsFor(limitsOfDefault, { ofOneNumber: 1 / 10_000, ofAnyNumber: 1, sources: 1_000 })).toBe(
    digits,
  );
});

test('three days of guessing at one number, from new addresses and from some that it knows, at sign-ins and at codes that were sent, is no more than the arithmetic says', async () => {
  moveClock();
  const limits = defaultLimits();
  const days = 3;
  let told = 0;
  for (let day = 0; day < days; day += 1) {
    for (let n = 0; n < 20; n += 1) told += await guess(limits, '1.5550100', `10.${day}.${n}.1`);
    for (let n = 0; n < 12; n += 1) told += await guess(limits, '1.5550100', `11.1.${n}.1`, true);
    for (let n = 0; n < 20; n += 1) told += await guessAtText(limits, '1.5550100', `12.${day}.${n}.1`);
    for (let n = 0; n < 5; n += 1) told += await guessAtText(limits, '1.5550100', `13.1.${n}.1`, 'here');
    jest.advanceTimersByTime(dayMs + 1);
  }
  const ofYear = expectedTakeovers(limitsOfDefault, digits, 1).ofOneNumber * 10 ** digits;
  expect(told).toBe((ofYear / 365) * days);
});

test('two days of guessing at any number from two addresses is no more than the arithmetic says', async () => {
  moveClock();
  const limits = defaultLimits();
  const [days, sources] = [2, 2];
  let told = 0;
  for (let hours = 0; hours < days * 24; hours += 6) {
    for (let source = 0; source < sources; source += 1) {
      for (let n = 0; n < 80; n += 1) {
        told += await guess(
          limits,
          `1.${2_000_000 + hours * 1_000 + source * 100 + (n >> 2)}`,
          `10.0.${source}.1`,
        );
      }
      for (let n = 0; n < 13; n += 1) {
        told += await guessAtText(
          limits,
          `1.${3_000_000 + hours * 1_000 + source * 100 + n}`,
          `10.0.${source}.1`,
        );
      }
    }
    jest.advanceTimersByTime(dayMs / 4 + 1);
  }
  const ofYear = expectedTakeovers(limitsOfDefault, digits, sources).ofAnyNumber * 10 ** digits;
  expect(told).toBeLessThanOrEqual((ofYear / 365) * days);
  expect(told).toBeGreaterThan((ofYear / 365) * days * 0.7);
});
