import { expect, test } from '@jest/globals';
import { countOf, each, type Few, withOne, withoutOne } from './few.ts';

const listOf = (few: Few<object>) => [...each(few)];

test('none, one and several are counted and come in their order, each once', () => {
  const [a, b, c] = [{ is: 'a' }, { is: 'b' }, { is: 'c' }];
  let few: Few<object> = undefined as Few<object>;
  for (const [one, all] of [
    [a, [a]],
    [a, [a]],
    [b, [a, b]],
    [b, [a, b]],
    [c, [a, b, c]],
  ] as const) {
    few = withOne(few, one);
    expect(listOf(few)).toEqual(all);
    expect(countOf(few)).toBe(all.length);
  }
  for (const [one, left] of [
    [b, [a, c]],
    [b, [a, c]],
    [a, [c]],
    [c, []],
  ] as const) {
    few = withoutOne(few, one);
    expect(listOf(few)).toEqual(left);
    expect(countOf(few)).toBe(left.length);
    expect(few instanceof Set).toBe(left.length > 1);
  }
  expect(few).toBeUndefined();
  expect(withoutOne(a, b)).toBe(a);
  expect(withoutOne(a, a)).toBeUndefined();
});

test('one of several that is taken out meanwhile does not come', () => {
  const [a, b, c] = [{ is: 'a' }, { is: 'b' }, { is: 'c' }];
  const few = withOne(withOne(withOne(undefined, a), b), c);
  const seen: object[] = [];
  for (const one of each(few)) {
    seen.push(one);
    withoutOne(few, b);
  }
  expect(seen).toEqual([a, c]);
});
