import { expect, test } from '@jest/globals';
import { Allowance } from './allowance.ts';

const late = 6;
const inTime = 5;

const allowance = () => new Allowance({ least: 100, most: 1_000, lateMaxMs: 5, growsPerSecond: 450 }, 0);

test('an event loop that is late halves what is allowed, once while that takes effect, down to the least', () => {
  const allowed = allowance();
  expect(allowed.at(0)).toBe(1_000);
  expect(allowed.look(10, inTime)).toBe(1_000);
  expect(allowed.look(10, late)).toBe(500);
  expect(allowed.look(10, late)).toBe(500);
  for (let nowMs = 110; nowMs < 2_000; nowMs += 100) allowed.look(nowMs, late);
  expect(allowed.look(2_100, late)).toBe(100);
});

test('what is allowed grows evenly while it is in time, whether somebody looks or not, up to the most', () => {
  const allowed = allowance();
  allowed.look(0, late);
  expect(allowed.at(1_000)).toBeCloseTo(950);
  expect(allowed.at(3_600_000)).toBe(1_000);
  allowed.look(3_600_000, late);
  expect(allowed.look(3_600_200, inTime)).toBeCloseTo(590);
});
