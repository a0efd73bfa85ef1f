import { expect, test } from '@jest/globals';
import type { LatencyCounts } from '../load/latencies.ts';
import { endsOfMedian, type Turn, turnFigures, turnOrder, turnSeconds } from './turns.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('turns come in pairs, in an order that is always the same and follows no rule', () => {
  const order = turnOrder(60 * turnSeconds);
  const firsts = order.filter((_, index) => index % 2 === 0);
  const seconds = order.filter((_, index) => index % 2 === 1);
  expect(firsts).toHaveLength(30);
  expect(seconds).toEqual(firsts.map((isScraped) => !isScraped));
  expect(turnOrder(60 * turnSeconds)).toEqual(order);
  // Both orders of a pair, about as often.
  expect(firsts.filter(Boolean).length).toBeGreaterThan(10);
  expect(firsts.filter(Boolean).length).toBeLessThan(20);
  for (let period = 1; period <= 10; period += 1) {
    const matches = firsts.slice(period).filter((isScraped, index) => isScraped === firsts[index]).length;
    expect(Math.abs(matches / (30 - period) - 0.5)).toBeLessThan(0.4);
  }
});

test('a trial that is shorter than two turns has two', () => {
  expect(turnOrder(1)).toHaveLength(2);
  expect(turnOrder(4 * turnSeconds - 1)).toHaveLength(2);
  expect(turnOrder(4 * turnSeconds)).toHaveLength(4);
});

// From a table of the binomial distribution: 95 of 100.
test.each([
  [6, [1, 6]],
  [10, [2, 9]],
  [20, [6, 15]],
  [30, [10, 21]],
  [100, [40, 61]],
])('of %d values, the true median is between those of these ranks', (count, ends) => {
  expect(endsOfMedian(numbers(count).toReversed())).toEqual(ends);
});

test('fewer than six values say nothing about how exact their median is', () => {
  expect(endsOfMedian(numbers(5))).toBeUndefined();
  expect(endsOfMedian([])).toBeUndefined();
});

const latenciesOf = (factor: number): LatencyCounts => [
  [100 * factor, 980],
  [1_000 * factor, 20],
];

/** A system whose work costs more from turn to turn, and `times` as much when it is scraped. */
function driftingTurns(count: number, times: number): Turn[] {
  return turnOrder(count * turnSeconds).map((isScraped, index) => {
    const factor = (1 + index / 10) * (isScraped ? times : 1);
    const latencies = latenciesOf(factor);
    const figures = { cpu_us: 40 * factor, p99_ms: factor, deliveries_per_s: 200 / factor, load_share: 0.5 };
    return { isScraped, figures, latencies, ...(isScraped ? { away: latenciesOf(factor / times) } : {}) };
  });
}

test('what scrapes cost is told, though the machine has become several times slower meanwhile', () => {
  const turns = driftingTurns(40, 1.1);
  const { cpu_us, unscraped_cpu_us, times_cpu_us = 0, times_cpu_us_low = 0, ...figures } = turnFigures(turns);
  expect(times_cpu_us).toBeCloseTo(1.1, 1);
  expect(times_cpu_us_low).toBeLessThan(1.1);
  expect(figures.times_cpu_us_high).toBeGreaterThan(1.1);
  expect(Math.abs((figures.times_cpu_us_high ?? 0) - times_cpu_us_low)).toBeLessThan(0.15);
  // Fewer deliveries a second are as bad as more of what is better when it is less.
  expect(figures.times_deliveries_per_s).toBeCloseTo(times_cpu_us);
  expect(figures).toMatchObject({ turns: 40, load_share: 0.5 });
  expect(cpu_us).toBeGreaterThan(40);
  expect(unscraped_cpu_us).toBeGreaterThan(40);
});

test('a trial of few turns has figures, without a word on how exact they are; what was not measured has none', () => {
  const figures = turnFigures(driftingTurns(2, 1));
  expect(Object.keys(figures).toSorted()).toEqual([
    'cpu_us',
    'deliveries_per_s',
    'load_share',
    'p50_ms',
    'p95_ms',
    'p99_ms',
    'times_cpu_us',
    'times_deliveries_per_s',
    'times_p50_ms',
    'times_p95_ms',
    'times_p99_ms',
    'turns',
    'unscraped_cpu_us',
    'unscraped_deliveries_per_s',
    'unscraped_p50_ms',
    'unscraped_p95_ms',
    'unscraped_p99_ms',
  ]);
});

test('a percentile of the latency is one of all deliveries together, so that a slow turn has as many of the slowest as it had', () => {
  const order = turnOrder(20 * turnSeconds);
  // One scraped turn in ten has 20 of 100 slow, all of them near a scrape; the median turn has none.
  const turns = order.map((isScraped, index): Turn => {
    const slow = isScraped && index < 2 ? 20 : 0;
    const fast: LatencyCounts = [[1_000, 100 - slow]];
    const figures = { p99_ms: slow ? 5 : 1 };
    // The turns between say nothing of the latency.
    if (!isScraped) return { isScraped, figures, latencies: [[9_000, 100]] };
    return { isScraped, figures, latencies: [...fast, [5_000, slow]], away: fast };
  });
  expect(turnFigures(turns)).toMatchObject({
    p95_ms: 1,
    times_p95_ms: 1,
    p99_ms: 5,
    unscraped_p99_ms: 1,
    times_p99_ms: 5,
  });
});
