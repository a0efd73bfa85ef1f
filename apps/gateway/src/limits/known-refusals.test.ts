import { expect, test } from '@jest/globals';
import { KnownRefusals } from './known-refusals.ts';

const wait10 = ['too many groups: try again in 10 s'];

test('who repeats very fast what the core refused is told the seconds that are left, and the core is asked twice a second', () => {
  let now = 0;
  const refusals = new KnownRefusals(undefined, () => now);
  const asked = (times: number) => {
    let count = 0;
    for (let n = 0; n < times; n += 1) {
      if (refusals.find('a') !== undefined) continue;
      count += 1;
      refusals.note('a', wait10);
    }
    return count;
  };
  expect(asked(100)).toBe(2);
  now = 400;
  expect(asked(100)).toBe(0);
  expect(refusals.find('a')).toBe('too many groups: try again in 10 s');
  expect(refusals.find('b')).toBeUndefined();
  now = 1_000;
  expect(asked(100)).toBe(2);
  now = 1_999;
  expect(refusals.find('a')).toBe('too many groups: try again in 10 s');
  now = 11_000;
  expect(refusals.find('a')).toBeUndefined();
});

test('where nothing can have changed the core is asked less often', () => {
  let now = 0;
  const refusals = new KnownRefusals({ asksMax: 1, askWindowMs: 5_000 }, () => now);
  refusals.note('a', ['too many attempts: try again in 60 s']);
  let asks = 0;
  for (now = 0; now < 50_000; now += 100) if (refusals.find('a') === undefined) asks += 1;
  expect(asks).toBe(9);
});

test('another answer of the core ends it, and a refusal without a time is not remembered', () => {
  const refusals = new KnownRefusals(undefined, () => 0);
  const isAsked = () => Array.from({ length: 9 }, () => refusals.find('a')).every((error) => !error);
  for (const errors of [[], ['not a member']]) {
    refusals.note('a', wait10);
    expect(isAsked()).toBe(false);
    refusals.note('a', errors);
    expect(isAsked()).toBe(true);
  }
});

test('of very many only the newest are remembered', () => {
  const refusals = new KnownRefusals(undefined, () => 0);
  for (let n = 0; n < 10_001; n += 1) refusals.note(String(n), wait10);
  const isKnown = (key: string) => Array.from({ length: 9 }, () => refusals.find(key)).some((error) => error);
  expect(['0', '1', '10000'].map(isKnown)).toEqual([false, true, true]);
});
