import { expect, test } from '@jest/globals';
import { OthersThere } from './others-there.ts';

test('who did something is there for a second after it, and what was done before the first look does not count', () => {
  let done = 7;
  const others = new OthersThere(() => done);
  expect(others.at(0)).toBe(false);
  done += 1;
  expect([others.at(5_000), others.at(5_999), others.at(6_000)]).toEqual([true, true, false]);
  done += 1;
  expect(others.at(6_500)).toBe(true);
  done += 1;
  expect([others.at(7_000), others.at(7_999), others.at(8_000)]).toEqual([true, true, false]);
});
