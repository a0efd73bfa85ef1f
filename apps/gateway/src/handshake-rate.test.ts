import { expect, test } from '@jest/globals';
import { HandshakeRate } from './handshake-rate.ts';

test('a second has as many handshakes as are set, at once or one by one, and the others learn when to come back', () => {
  let nowMs = 0;
  const rate = new HandshakeRate(4, () => nowMs);
  const accepted = (times: number) =>
    Array.from({ length: times }, () => rate.accept()).filter((wait) => wait === undefined).length;
  expect(accepted(10)).toBe(4);
  nowMs = 500;
  expect(accepted(10)).toBe(2);
  nowMs = 749;
  expect(accepted(10)).toBe(0);
  nowMs = 750;
  expect(accepted(10)).toBe(1);
  // What a quiet hour leaves is one second's worth.
  nowMs = 3_600_000;
  expect(accepted(10)).toBe(4);
  const waits = Array.from({ length: 200 }, () => rate.accept() as number);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...waits)).toBeLessThanOrEqual(10);
  expect(new Set(waits).size).toBeGreaterThan(1);
});

test('what was accepted and became no connection takes no room, and leaves no more than a second’s worth', () => {
  const rate = new HandshakeRate(2, () => 0);
  for (let times = 0; times < 10; times += 1) {
    expect(rate.accept()).toBeUndefined();
    rate.giveBack();
  }
  rate.giveBack();
  expect([rate.accept(), rate.accept()]).toEqual([undefined, undefined]);
  expect(rate.accept()).toBeGreaterThan(0);
});
