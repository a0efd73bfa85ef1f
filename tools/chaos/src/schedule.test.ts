import { expect, test } from '@jest/globals';
import { faultNamesOf } from './faults/index.ts';
import { createRandom } from './random.ts';
import { schedule } from './schedule.ts';

function first(count: number, seed: number): string[] {
  const names = schedule([], 'one', createRandom(seed));
  return Array.from({ length: count }, () => names.next().value);
}

const faultNames = faultNamesOf('one');

test('every fault is injected once before any is injected again, in an order that the seed decides', () => {
  const [once, twice] = [first(faultNames.length, 7), first(2 * faultNames.length, 7)];
  expect([...once].sort()).toEqual([...faultNames].sort());
  expect(twice.slice(0, faultNames.length)).toEqual(once);
  expect([...twice].sort()).toEqual([...faultNames, ...faultNames].sort());
  expect(first(faultNames.length, 8)).not.toEqual(once);
});

test('with --only, no other fault is injected', () => {
  const names = schedule(['flushall'], 'one', createRandom(1));
  expect([names.next().value, names.next().value]).toEqual(['flushall', 'flushall']);
});

test('what kills a Redis that nobody replaces is not injected behind Sentinels or into a cluster, and the other way round', () => {
  const [one, sentinel] = [faultNamesOf('one'), faultNamesOf('sentinel')];
  expect(one).toEqual(expect.arrayContaining(['kill-redis', 'flushall']));
  expect(sentinel).toEqual(expect.arrayContaining(['kill-primary', 'freeze-primary', 'flushall']));
  expect(one).not.toContain('kill-primary');
  expect(sentinel).not.toContain('kill-redis');
  expect(faultNamesOf('cluster')).toEqual(sentinel);
});
