import { expect, test } from '@jest/globals';
import { Latencies, LatenciesByTime, percentileOf } from './latencies.ts';

function countsOf(values: readonly number[]) {
  const latencies = new Latencies();
  for (const us of values) latencies.record(us);
  return latencies.counts();
}

test('what is counted is told to a thousandth, the shortest first', () => {
  const values = Array.from({ length: 2_220 }, (_, index) => Math.floor(1.0085 ** index)).filter(
    (us) => us < 2 ** 27,
  );
  for (const us of [0, ...values]) {
    const [[told, count] = [Number.NaN, 0], ...others] = countsOf([us]);
    expect([count, others]).toEqual([1, []]);
    expect(Math.abs(told - us)).toBeLessThanOrEqual(us / 2_000);
  }
  const all = countsOf(values.toReversed()).map(([us]) => us);
  expect(all).toEqual(all.toSorted((one, other) => one - other));
});

test('each latency up to two milliseconds has a bucket of its own, and what is too long is counted with the longest', () => {
  expect(countsOf([0, 1, 1, 1_023, 1_024, 2_047])).toEqual([
    [0, 1],
    [1, 2],
    [1_023, 1],
    [1_024, 1],
    [2_047, 1],
  ]);
  const [longest] = countsOf([2 ** 27 - 1]);
  expect(countsOf([2 ** 27, 2 ** 31, 1e12])).toEqual([[longest?.[0], 3]]);
});

test('a percentile is the smallest latency that so many of a hundred do not exceed', () => {
  const counts = countsOf(Array.from({ length: 200 }, (_, index) => index + 1));
  expect([50, 95, 99, 99.9, 100].map((percentile) => percentileOf(counts, percentile))).toEqual([
    100, 190, 198, 200, 200,
  ]);
  expect(percentileOf(countsOf([7]), 50)).toBe(7);
  expect(percentileOf([], 99)).toBe(0);
});

test('what was sent in some spans is left out of the others, whose ends belong to them', () => {
  const byTime = new LatenciesByTime();
  for (let sentAt = 0; sentAt <= 100; sentAt += 10) byTime.record(sentAt, 1_000 + sentAt);
  const outside = (...spans: (readonly [number, number])[]) =>
    byTime.outside(spans).map(([us]) => us - 1_000);
  expect(outside()).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  expect(outside([10, 30], [25, 50], [95, 99])).toEqual([0, 60, 70, 80, 90, 100]);
  expect(outside([-1, 200])).toEqual([]);
});
