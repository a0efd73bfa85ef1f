import type { LatencyCounts, Span } from '../load/latencies.ts';
import { spread } from '../report/report.ts';
import { randomOf } from '../seeded-random.ts';
import type { Figures } from '../workloads/figures.ts';
import { pooledPercentiles } from './pooled.ts';

/**
 * As long as from one scrape of a process to the next. Scrapes stand in the middle half of their turn, so that what they leave for
 * later, such as garbage, is of the same turn for the most part.
 */
export const turnSeconds = 5;

/** Any: it makes the same order each time. */
const seed = 20_261_126;
/** An interval misses the true median as often as this. */
const missedShare = 0.05;

/** Part of a trial in which the load goes on: its processes are scraped meanwhile, or they are not. */
export type Turn = {
  readonly isScraped: boolean;
  readonly figures: Figures;
  /** From the send until the receipt, of all its deliveries. */
  readonly latencies: LatencyCounts;
  /** If it is scraped: those of them that were sent while nothing was read, see `near`. */
  readonly away?: LatencyCounts;
};

/** What is sent so long before a page is read may still be under way then. */
const beforeMs = 25;
/** So long behind it, what a scrape leaves to be done, such as garbage, still delays what is sent. */
const behindMs = 225;

/** @returns in which time what is sent may be delayed by a scrape, with a good deal on both sides */
export function near([from, until]: Span): Span {
  return [from - beforeMs, until + behindMs];
}

/** What scrapes could make worse, turn by turn. Where the sign is 1, less is better. */
const signs: Readonly<Record<string, 1 | -1>> = { cpu_us: 1, deliveries_per_s: -1 };

/** What they could make worse of the latency. A turn may have too few deliveries for it: all that are scraped are taken together. */
const percentiles: Readonly<Record<string, number>> = { p50_ms: 50, p95_ms: 95, p99_ms: 99 };

/** The figures that are compared. */
export const comparedFigures = ['cpu_us', ...Object.keys(percentiles), 'deliveries_per_s'];

/**
 * Which turns of a trial are scraped. They come in pairs of one that is and one that is not, and a coin says which is the
 * first. So, unless a scrape itself leaves work for longer, neither has the advantage when the machine becomes slower, or inherits more of what the turn before it has left
 * (cursors and delivery checks, which are late on purpose), and nothing that comes each minute always meets the same one.
 * @param seconds for all of them; there is a pair at least
 */
export function turnOrder(seconds: number): boolean[] {
  const random = randomOf(seed);
  const pairs = Math.max(1, Math.floor(seconds / turnSeconds / 2));
  return Array.from({ length: pairs }).flatMap(() => (random() < 0.5 ? [true, false] : [false, true]));
}

/**
 * What the turns of one trial tell.
 * @param turns in the order of `turnOrder`
 * @returns each figure, the median of the turns that were scraped; and of those that are compared `unscraped_<figure>`,
 *   the median of the others; `times_<figure>`, how many times as bad a turn is when it is scraped, the median over the
 *   pairs; and `times_<figure>_low` and `_high`, between which that is in 95 of 100 trials, where there are enough pairs.
 *   A percentile of the latency is one of all deliveries of all scraped turns; its `unscraped_` one is of those of them that were
 *   sent while nothing was read. Two turns differ by far more than a scrape takes, for other reasons, and these are of the same
 *   turns: see `pooledPercentiles`
 */
export function turnFigures(turns: readonly Turn[]): Figures {
  const names = [...new Set(turns.flatMap(({ figures }) => Object.keys(figures)))];
  const medians = names.flatMap((name) => {
    const values = valuesOf(turns, name, true);
    return values.length > 0 ? [[name, spread(values).median]] : [];
  });
  return { turns: turns.length, ...Object.fromEntries(medians), ...byPair(turns), ...byDelivery(turns) };
}

function byPair(turns: readonly Turn[]): Figures {
  const figures = Object.entries(signs).map(([name, sign]) => {
    const scraped = valuesOf(turns, name, true);
    const unscraped = valuesOf(turns, name, false);
    if (scraped.length === 0 || scraped.length !== unscraped.length) return {};
    const times = scraped.map((value, pair) => (value / (unscraped[pair] as number)) ** sign);
    return {
      [`unscraped_${name}`]: spread(unscraped).median,
      ...timesFigures(name, spread(times).median, endsOfMedian(times)),
    };
  });
  return Object.assign({}, ...figures);
}

function byDelivery(turns: readonly Turn[]): Figures {
  const pairs = turns.flatMap(({ latencies, away }) =>
    away ? [{ scraped: latencies, unscraped: away }] : [],
  );
  const pooled = pooledPercentiles(pairs, Object.values(percentiles));
  const figures = Object.keys(percentiles).map((name, index) => {
    const { scrapedMs, unscrapedMs, times, ends } = pooled[index] as (typeof pooled)[number];
    return { [name]: scrapedMs, [`unscraped_${name}`]: unscrapedMs, ...timesFigures(name, times, ends) };
  });
  return Object.assign({}, ...figures);
}

function valuesOf(turns: readonly Turn[], name: string, isScraped: boolean): number[] {
  return turns.flatMap((turn) => (turn.isScraped === isScraped ? (turn.figures[name] ?? []) : []));
}

function timesFigures(name: string, times: number, ends: readonly [number, number] | undefined): Figures {
  return {
    [`times_${name}`]: times,
    ...(ends ? { [`times_${name}_low`]: ends[0], [`times_${name}_high`]: ends[1] } : {}),
  };
}

/**
 * How far the median of some values may be from the true one. Whatever they are drawn from, each is above the true median
 * with the probability of a coin that shows heads. The n-th value from an end is beyond it only if fewer than n coins of as many
 * as there are values show heads; n is the greatest one for which that happens in a fortieth of all cases at most.
 * @returns the n-th from below and from above; undefined when there are fewer than six values, which are too few
 */
export function endsOfMedian(values: readonly number[]): [low: number, high: number] | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  const count = sorted.length;
  // The probability of exactly `nth` heads, and of at most so many.
  let exactly = 0.5 ** count;
  let atMost = exactly;
  let nth = 0;
  while (atMost <= missedShare / 2) {
    nth += 1;
    exactly *= (count - nth + 1) / nth;
    atMost += exactly;
  }
  return nth === 0 ? undefined : [sorted[nth - 1] as number, sorted[count - nth] as number];
}
