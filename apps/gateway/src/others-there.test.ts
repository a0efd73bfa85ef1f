import { expect, test } from '@jest/globals';
import { OthersThere } from './others-there.ts';

test('who did something is there for ten seconds after it, and what was done before the first look does not count', () => {
  let done = 7;
  const others = new OthersThere(() => done);
  expect(others.at(0)).toBe(false);
  done += 1;
  expect([others.at(5_000), others.at(14_999), others.at(15_000)]).toEqual([true, true, false]);
  done += 1;
  expect(others.at(16_000)).toBe(true);
  done += 1;
  expect([others.at(17_000), others.at(26_999), others.at(27_000)]).toEqual([true, true, false]);
});
