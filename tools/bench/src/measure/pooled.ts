import { type LatencyCounts, percentileOf } from '../load/latencies.ts';
import { randomOf } from '../seeded-random.ts';

/** All deliveries of a turn that is scraped, and those of them that no scrape can have delayed. */
export type LatencyPair = { readonly scraped: LatencyCounts; readonly unscraped: LatencyCounts };

/** A percentile of all deliveries of all scraped turns, beside that of those that no scrape can have delayed. */
export type PooledPercentile = {
  readonly scrapedMs: number;
  readonly unscrapedMs: number;
  /** How many times as long it is when it is scraped. */
  readonly times: number;
  /** Between which that is in 95 of 100 trials; absent when there are too few pairs to say. */
  readonly ends?: readonly [low: number, high: number];
};

const draws = 2_000;
/** An interval misses the true value as often as this. */
const missedShare = 0.05;
/** Of fewer pairs, those that are drawn are too much alike. */
const pairsMin = 10;
/** Any: it draws the same pairs each time. */
const seed = 20_261_127;

/**
 * Percentiles of the deliveries of all turns together: a turn of its own may have too few for its slowest hundredth.
 * How exact they are is told by a bootstrap (Efron): as many pairs as there are, drawn from them at random, some twice and
 * some not at all, make another trial that could have been, and so 2,000 times. Pairs are drawn whole, not deliveries: what
 * is slow is so together with its neighbours, and tells less than as many deliveries apart would.
 * @param pairs at least one
 * @param percentiles from above 0 to 100
 */
export function pooledPercentiles(
  pairs: readonly LatencyPair[],
  percentiles: readonly number[],
): PooledPercentile[] {
  const scraped = pooled(pairs.map((pair) => pair.scraped));
  const unscraped = pooled(pairs.map((pair) => pair.unscraped));
  const once = pairs.map(() => 1);
  const times = (weights: readonly number[]) => {
    const [above, below] = [scraped(weights), unscraped(weights)];
    return percentiles.map((percentile) => percentileOf(above, percentile) / percentileOf(below, percentile));
  };
  const random = randomOf(seed);
  const drawn =
    pairs.length < pairsMin ? [] : Array.from({ length: draws }, () => times(drawnOf(pairs.length, random)));
  const measured = times(once);
  return percentiles.map((percentile, index) => {
    const ends = endsOf(drawn.map((values) => values[index] as number));
    return {
      scrapedMs: percentileOf(scraped(once), percentile) / 1_000,
      unscrapedMs: percentileOf(unscraped(once), percentile) / 1_000,
      times: measured[index] as number,
      ...(ends ? { ends } : {}),
    };
  });
}

/** @returns the counts of all turns together, each as often as its weight says */
function pooled(turns: readonly LatencyCounts[]): (weights: readonly number[]) => LatencyCounts {
  const values = [...new Set(turns.flatMap((turn) => turn.map(([us]) => us)))].sort(
    (one, other) => one - other,
  );
  const places = new Map(values.map((us, place) => [us, place]));
  const placed = turns.map((turn) => turn.map(([us, count]) => [places.get(us) as number, count] as const));
  return (weights) => {
    const sums = new Float64Array(values.length);
    placed.forEach((turn, index) => {
      const weight = weights[index] as number;
      if (weight === 0) return;
      for (const [place, count] of turn) sums[place] = (sums[place] as number) + weight * count;
    });
    return values.map((us, place) => [us, sums[place] as number]);
  };
}

/** How often each is drawn, when as many are drawn as there are. */
function drawnOf(count: number, random: () => number): number[] {
  const weights = Array.from({ length: count }, () => 0);
  for (let draw = 0; draw < count; draw += 1) {
    const index = Math.floor(random() * count);
    weights[index] = (weights[index] as number) + 1;
  }
  return weights;
}

function endsOf(values: readonly number[]): [low: number, high: number] | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((one, other) => one - other);
  const left = Math.floor((values.length * missedShare) / 2);
  return [sorted[left] as number, sorted[sorted.length - 1 - left] as number];
}
