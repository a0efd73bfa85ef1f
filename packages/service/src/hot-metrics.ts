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

/** @returns makes the counter of some values of the labels, or finds it; from then on it is exposed */
export function hotCounterFamily({ registry, name, help, labels }: Family) {
  const find = memberOf<HotCounter>(labels, () => ({ count: 0 }));
  const taken = new Map<HotCounter, number>();
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      for (const { labels: values, member } of find.members) {
        this.inc(values, member.count - (taken.get(member) ?? 0));
        taken.set(member, member.count);
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

function memberOf<M>(labels: readonly string[], create: () => M) {
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
