import { expect, test } from '@jest/globals';
import { countOf, each, type Few, withOne, withoutOne } from './few.ts';

const listOf = (few: Few<object>) => [...each(few)];

test('none, one and several are counted and come in their order, each once', () => {
  const [a, b, c] = [{}, {}, {}];
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
    expect(listOf(few).every((each, at) => each === all[at])).toBe(true);
    expect(countOf(few)).toBe(all.length);
  }
  for (const [one, left] of [
    [b, [a, c]],
    [b, [a, c]],
    [a, [c]],
    [c, []],
  ] as const) {
    few = withoutOne(few, one);
    expect(listOf(few)).toHaveLength(left.length);
    expect(listOf(few).every((each, at) => each === left[at])).toBe(true);
    expect(countOf(few)).toBe(left.length);
    expect(few instanceof Set).toBe(left.length > 1);
  }
  expect(few).toBeUndefined();
  expect(withoutOne(a, b)).toBe(a);
  expect(withoutOne(a, a)).toBeUndefined();
});

test('those that are taken out meanwhile do not come', () => {
  const [a, b, c] = [{}, {}, {}];
  const few = withOne(withOne(withOne(undefined, a), b), c);
  const seen: object[] = [];
  for (const one of each(few)) {
    seen.push(one);
    withoutOne(few, b);
  }
  expect(seen).toHaveLength(2);
  expect(seen[1]).toBe(c);
});
