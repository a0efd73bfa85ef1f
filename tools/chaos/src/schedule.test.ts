import { expect, test } from '@jest/globals';
import { harmNames } from './harms/index.ts';
import { createRandom } from './random.ts';
import { schedule } from './schedule.ts';

function first(count: number, seed: number): string[] {
  const names = schedule([], createRandom(seed));
  return Array.from({ length: count }, () => names.next().value);
}

test('every harm is done once before any is done again, in an order that the seed decides', () => {
  const [once, twice] = [first(harmNames.length, 7), first(2 * harmNames.length, 7)];
  expect([...once].sort()).toEqual([...harmNames].sort());
  expect(twice.slice(0, harmNames.length)).toEqual(once);
  expect([...twice].sort()).toEqual([...harmNames, ...harmNames].sort());
  expect(first(harmNames.length, 8)).not.toEqual(once);
});

test('with --only, no other harm is done', () => {
  const names = schedule(['flushall'], createRandom(1));
  expect([names.next().value, names.next().value]).toEqual(['flushall', 'flushall']);
});
