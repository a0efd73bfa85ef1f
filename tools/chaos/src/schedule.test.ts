import { expect, test } from '@jest/globals';
import { faultNames } from './faults/index.ts';
import { createRandom } from './random.ts';
import { schedule } from './schedule.ts';

function first(count: number, seed: number): string[] {
  const names = schedule([], createRandom(seed));
  return Array.from({ length: count }, () => names.next().value);
}

test('every fault is injected once before any is injected again, in an order that the seed decides', () => {
  const [once, twice] = [first(faultNames.length, 7), first(2 * faultNames.length, 7)];
  expect([...once].sort()).toEqual([...faultNames].sort());
  expect(twice.slice(0, faultNames.length)).toEqual(once);
  expect([...twice].sort()).toEqual([...faultNames, ...faultNames].sort());
  expect(first(faultNames.length, 8)).not.toEqual(once);
});

test('with --only, no other fault is injected', () => {
  const names = schedule(['flushall'], createRandom(1));
  expect([names.next().value, names.next().value]).toEqual(['flushall', 'flushall']);
});
