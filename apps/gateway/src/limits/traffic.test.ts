import { expect, test } from '@jest/globals';
import { Traffic } from './traffic.ts';

const rates = { frames: { points: 10, seconds: 5 }, bytes: { points: 1_000, seconds: 10 } };

function traffic() {
  const clock = { nowMs: 0 };
  const bucket = new Traffic(rates, () => clock.nowMs);
  const taken = (times: number, bytes: number) =>
    Array.from({ length: times }, () => bucket.take(bytes)).filter((shortage) => shortage === undefined)
      .length;
  return { bucket, taken, clock };
}

test('a bucket is full at first, and fills again at its rate, of frames and of bytes', () => {
  const { bucket, taken, clock } = traffic();
  expect(taken(20, 1)).toBe(10);
  expect(bucket.take(1)).toBe('frames');
  clock.nowMs = 1_000;
  expect(taken(20, 1)).toBe(2);
  clock.nowMs = 60_000;
  expect(taken(3, 400)).toBe(2);
  expect(bucket.take(400)).toBe('bytes');
  clock.nowMs = 62_000;
  expect(taken(2, 400)).toBe(1);
});

test('a frame that is larger than the bucket is taken from a full one', () => {
  const { bucket, clock } = traffic();
  expect(bucket.take(5_000)).toBeUndefined();
  expect(bucket.take(5_000)).toBe('bytes');
  clock.nowMs = 10_000;
  expect(bucket.take(5_000)).toBeUndefined();
});

test('it says when there is room again, and then there is', () => {
  const { bucket, taken, clock } = traffic();
  taken(10, 100);
  expect(bucket.take(300)).toBe('frames');
  expect(bucket.waitSeconds(300)).toBeCloseTo(3);
  clock.nowMs = 2_999;
  expect(bucket.take(300)).toBe('bytes');
  clock.nowMs = 3_001;
  expect(bucket.take(300)).toBeUndefined();
});

test('as much as a bucket may be refused, and more again with time', () => {
  const { bucket, taken, clock } = traffic();
  taken(10, 1);
  const refused = () => Array.from({ length: 20 }, () => bucket.refuse()).filter(Boolean).length;
  expect(refused()).toBe(10);
  clock.nowMs = 60_000;
  expect(taken(20, 1)).toBe(10);
  expect(refused()).toBe(10);
});

test('in any time nobody gets more than twice the bucket beside what it fills with', () => {
  const { taken, clock } = traffic();
  let most = 0;
  for (let begin = 0; begin < 10; begin += 1) {
    clock.nowMs += 60_000;
    taken(begin, 1);
    clock.nowMs += 60_000;
    most = Math.max(most, taken(100, 1));
  }
  expect(most).toBeLessThanOrEqual(20);
});

test('it can be forgotten when it is full', () => {
  const { bucket, taken, clock } = traffic();
  taken(1, 1);
  expect(bucket.isFull).toBe(false);
  clock.nowMs = 60_000;
  expect(bucket.isFull).toBe(true);
});

test('what is given back may be taken again, up to a full bucket', () => {
  const { bucket, taken } = traffic();
  expect(taken(20, 1)).toBe(10);
  bucket.giveBack(4);
  expect(taken(20, 1)).toBe(4);
  bucket.giveBack(1_000);
  expect(taken(20, 1)).toBe(10);
});
