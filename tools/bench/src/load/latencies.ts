/** Counts by latency, in microseconds: the middle of a bucket and what is in it, the shortest first. Empty ones are left out. */
export type LatencyCounts = readonly (readonly [us: number, count: number])[];

/** Each power of two is cut into so many buckets, so that none is wider than a thousandth of what is in it. */
const bucketsBits = 10;
const buckets = 2 ** bucketsBits;
/** What takes longer than this (two minutes and a quarter) counts as if it took no longer. */
const usMax = 2 ** 27 - 1;

/** Counts latencies, exactly to a thousandth. It takes 75 KB, however many there are. */
export class Latencies {
  readonly #counts = new Uint32Array(bucketOf(usMax) + 1);

  /** @param us in whole microseconds, 0 or more */
  record(us: number): void {
    const bucket = bucketOf(Math.min(us, usMax));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  counts(): LatencyCounts {
    const counts: [number, number][] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) counts.push([middleOf(bucket), count]);
    });
    return counts;
  }
}

/** A time in which something happened, milliseconds of `performance.now()`. */
export type Span = readonly [from: number, until: number];

/** Keeps each latency, with the moment of its send: 16 bytes each. */
export class LatenciesByTime {
  readonly #sentAt: number[] = [];
  readonly #us: number[] = [];

  /** @param sentAt milliseconds of `performance.now()` @param us in whole microseconds, 0 or more */
  record(sentAt: number, us: number): void {
    this.#sentAt.push(sentAt);
    this.#us.push(us);
  }

  /** @returns those of what was sent in none of these spans */
  outside(spans: readonly Span[]): LatencyCounts {
    const others = new Latencies();
    this.#sentAt.forEach((sentAt, index) => {
      if (spans.some(([from, until]) => sentAt >= from && sentAt <= until)) return;
      others.record(this.#us[index] as number);
    });
    return others.counts();
  }
}

/**
 * The smallest latency that so many of a hundred do not exceed.
 * @returns in microseconds; 0 when there is none at all
 */
export function percentileOf(counts: LatencyCounts, percentile: number): number {
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  let left = Math.max(1, Math.ceil((all * percentile) / 100));
  for (const [us, count] of counts) {
    left -= count;
    if (left <= 0) return us;
  }
  return 0;
}

/** Up to 2,047 µs each has a bucket of its own; above, two have one, then four, and so on. */
function bucketOf(us: number): number {
  const shift = Math.max(0, 31 - Math.clz32(us) - bucketsBits);
  return shift * buckets + (us >>> shift);
}

function middleOf(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / buckets) - 1);
  const lowest = (bucket - shift * buckets) * 2 ** shift;
  return lowest + (2 ** shift - 1) / 2;
}
