import { Counter, type Metric, type Registry } from 'prom-client';

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
  const taken = new Map<HotCounter, number>(fromStart.map(([first, second]) => [find(first, second), 0]));
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      for (const { labels: values, member } of find.members) {
        const before = taken.get(member);
        const count = before === undefined ? 0 : member.count;
        this.inc(values, count - (before ?? 0));
        taken.set(member, count);
      }
    },
  });
  return find;
}

/** The same for histograms. prom-client's own would hash the labels at every observation. */
export function hotHistogramFamily({ registry, name, help, labels }: Family, buckets: readonly number[]) {
  const find = memberOf(labels, () => new HotHistogram(buckets));
  const metric = {
    name,
    help,
    type: 'histogram',
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: find.members.flatMap(({ labels: values, member }) => samples(name, values, member)),
    }),
  };
  registry.registerMetric(metric as unknown as Metric);
  return find;
}

type Values = Readonly<Record<string, string>>;

/** @param seconds see `hotCounterFamily` */
function memberOf<M>(labels: readonly string[], create: () => M, seconds: readonly string[] = []) {
  const byValues = new Map<string, M>();
  const members: { labels: Values; member: M }[] = [];
  const find = (first = '', second?: string): M => {
    const key = second === undefined ? first : `${first}\0${second}`;
    const known = byValues.get(key);
    if (known) return known;
    const member = create();
    byValues.set(key, member);
    const values = [first, second];
    members.push({
      labels: Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])),
      member,
    });
    for (const other of seconds) find(first, other);
    return member;
  };
  return Object.assign(find, { members });
}

function samples(name: string, labels: Values, { bounds, counts, sum }: HotHistogram) {
  let count = 0;
  const buckets = [...bounds, '+Inf'].map((le, index) => {
    count += counts[index] as number;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
