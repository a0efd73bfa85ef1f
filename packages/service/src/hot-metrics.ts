import type { Metric, Registry } from 'prom-client';
import { type Described, labelsText, type Sample } from './metrics-text.ts';

/** How often something happened. Adding one is one addition; the metric reads the number when somebody reads the metrics. */
export type HotCounter = { count: number };

/** How long something took, for what happens a hundred thousand times a second: observing is two additions. */
export class HotHistogram {
  readonly bounds: readonly number[];
  /** One for each bound, and one for what is beyond all of them. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at += 1;
    counts[at] = (counts[at] as number) + 1;
    this.sum += value;
  }
}

type Family = {
  readonly registry: Registry;
  /** The whole of it. */
  readonly name: string;
  readonly help: string;
  /** In the order in which their values are given; at most two. */
  readonly labels: readonly string[];
};

/**
 * @param fromStart the series that are there before anything has happened, by the values of their labels
 * @param seconds of a second label, the values that are known: all of them appear together
 * @returns makes the counter of some values of the labels, or finds it; from then on it is exposed. One that is not there from
 *   the start is 0 when it is read for the first time, whatever has happened: Prometheus takes the first value of a series
 *   for its beginning, and would miss what came before
 */
export function hotCounterFamily(
  { registry, name, help, labels }: Family,
  fromStart: readonly (readonly string[])[],
  seconds: readonly string[] = [],
) {
  const find = memberOf<HotCounter>(labels, () => ({ count: 0 }), seconds);
  const known = new Set<HotCounter>(fromStart.map(([first, second]) => find(first, second)));
  register(registry, { name, help, type: 'counter' }, () =>
    find.members.map(({ text, member }) => {
      const value = known.has(member) ? member.count : 0;
      known.add(member);
      return { labelsText: text, value };
    }),
  );
  return find;
}

/** The same for histograms. prom-client's own would hash the labels at every observation. */
export function hotHistogramFamily({ registry, name, help, labels }: Family, buckets: readonly number[]) {
  const find = memberOf(labels, () => new HotHistogram(buckets));
  const bounds = [...buckets, '+Inf'].map((le) => labelsText({ le }));
  const [bucketName, sumName, countName] = [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  register(registry, { name, help, type: 'histogram' }, () =>
    find.members.flatMap(({ text, member: { counts, sum } }) => {
      let count = 0;
      const samples: Sample[] = bounds.map((bound, index) => {
        count += counts[index] as number;
        return { metricName: bucketName, labelsText: bound + text, value: count };
      });
      samples.push({ metricName: sumName, labelsText: text, value: sum });
      samples.push({ metricName: countName, labelsText: text, value: count });
      return samples;
    }),
  );
  return find;
}

/** A metric that prom-client does not know. */
function register(registry: Registry, about: Omit<Described, 'values'>, read: () => readonly Sample[]): void {
  const metric = { ...about, get: async () => ({ ...about, aggregator: 'sum', values: read() }) };
  registry.registerMetric(metric as unknown as Metric);
}

/** @param seconds see `hotCounterFamily` */
function memberOf<M>(labels: readonly string[], create: () => M, seconds: readonly string[] = []) {
  const byValues = new Map<string, M>();
  const members: { text: string; member: M }[] = [];
  const find = (first = '', second?: string): M => {
    const key = second === undefined ? first : `${first}\0${second}`;
    const known = byValues.get(key);
    if (known) return known;
    const member = create();
    byValues.set(key, member);
    const values = [first, second];
    const texts = labels.map((label, index) => labelsText({ [label]: values[index] ?? '' }));
    members.push({ text: texts.join(''), member });
    for (const other of seconds) find(first, other);
    return member;
  };
  return Object.assign(find, { members });
}
