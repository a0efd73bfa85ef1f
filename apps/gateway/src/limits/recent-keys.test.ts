import { expect, test } from '@jest/globals';
import { RecentKeys } from './recent-keys.ts';

test('a key is known for its time, which begins again with each time that it happens', () => {
  let now = 0;
  const keys = new RecentKeys<string>(100, () => now);
  keys.add('a');
  now = 60;
  keys.add('a');
  now = 159;
  expect([keys.has('a'), keys.has('b')]).toEqual([true, false]);
  now = 160;
  expect(keys.has('a')).toBe(false);
});

test('of very many only the newest are known', () => {
  const keys = new RecentKeys<number>(100, () => 0);
  for (let n = 0; n <= 10_000; n += 1) keys.add(n);
  expect([keys.has(0), keys.has(1), keys.has(10_000)]).toEqual([false, true, true]);
});
