import { expect, test } from '@jest/globals';
import type { LatencyCounts } from '../load/latencies.ts';
import { type LatencyPair, pooledPercentiles } from './pooled.ts';

/** 500 deliveries of which some are slow: 10 ms more or less in place of 1. */
function turnOf(slow: number): LatencyCounts {
  const fast = Array.from({ length: 500 - slow }, (_, index) => [1_000 + index, 1] as const);
  return [...fast, ...Array.from({ length: slow }, (_, index) => [10_000 + index, 1] as const)];
}

const pairsOf = (slow: readonly (readonly [scraped: number, unscraped: number])[]): LatencyPair[] =>
  slow.map(([scraped, unscraped]) => ({ scraped: turnOf(scraped), unscraped: turnOf(unscraped) }));

const times = (counts: LatencyCounts, factor: number): LatencyCounts =>
  counts.map(([us, count]) => [us * factor, count]);

test('a percentile is one of all deliveries of all turns, and is as many times as long as they are', () => {
  const pairs = [30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30].map((slow) => {
    const unscraped = turnOf(slow);
    return { scraped: times(unscraped, 1.25), unscraped };
  });
  // 60 of 6,000 are slow: 5,940, 99 of a hundred, are not. Most turns have no slow one.
  const [p50, p99, p999] = pooledPercentiles(pairs, [50, 99, 99.9]);
  expect(p50).toEqual({ scrapedMs: 1.561_25, unscrapedMs: 1.249, times: 1.25, ends: [1.25, 1.25] });
  expect(p99).toMatchObject({ unscrapedMs: 1.499, times: 1.25 });
  expect(p999).toMatchObject({ unscrapedMs: 10.026, times: 1.25 });
});

test('the interval is wide where few pairs have all that is slow, and narrow where each has its part', () => {
  const even = pairsOf(Array.from({ length: 20 }, () => [6, 6] as const));
  const clustered = pairsOf(
    Array.from({ length: 20 }, (_, index) => (index < 2 ? [60, 60] : [0, 0]) as never),
  );
  const endsOf = (pairs: readonly LatencyPair[]) => pooledPercentiles(pairs, [99])[0]?.ends;
  expect(endsOf(even)).toEqual([1, 1]);
  // The same deliveries in all, but who slows them had two chances.
  const alternate = pairsOf(
    Array.from({ length: 20 }, (_, index) => (index < 2 ? [60, 0] : index < 4 ? [0, 60] : [3, 3]) as never),
  );
  const [low = 1, high = 1] = endsOf(alternate) ?? [];
  expect(low).toBeLessThan(0.5);
  expect(high).toBeGreaterThan(2);
  // Both turns of a pair are drawn together.
  expect(endsOf(clustered)).toEqual([1, 1]);
});

test('the same turns have the same interval each time', () => {
  const pairs = pairsOf(Array.from({ length: 12 }, (_, index) => [index, 11 - index] as const));
  expect(pooledPercentiles(pairs, [98])).toEqual(pooledPercentiles(pairs, [98]));
});

test('of fewer than ten pairs nobody is told how exact it is', () => {
  const pairs = pairsOf(Array.from({ length: 10 }, () => [10, 5] as const));
  expect(pooledPercentiles(pairs, [99])[0]).toHaveProperty('ends');
  expect(pooledPercentiles(pairs.slice(1), [99])[0]).not.toHaveProperty('ends');
});
