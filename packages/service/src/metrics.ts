import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const prefix = 'hooligram_';

export type { Counter, Gauge, Histogram };

/** What has happened so often. Adding one is an addition; the counter takes it over when somebody reads the metrics. */
type Tally = { count: number };

/** Every name is given without the prefix `hooligram_`, every unit is part of the name (`_seconds`, `_bytes`). */
export type Metrics = {
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  /** A counter for what happens a hundred thousand times a second. */
  tally(name: string, help: string): Tally;
  /** The same with a label: the tally of a value. */
  tallies(name: string, help: string, label: string): (value: string) => Tally;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** A gauge whose value is asked for when somebody reads the metrics: costs nothing in between. */
  observed(name: string, help: string, read: () => number): void;
  histogram<L extends string = never>(
    name: string,
    help: string,
    options: { buckets: readonly number[]; labels?: readonly L[] },
  ): Histogram<L>;
  /** The Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
};

/** A registry of its own with the process's default metrics; `role` is a label of every metric. */
export function createMetrics(options: { role: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ role: options.role });
  collectDefaultMetrics({ register: registry, prefix: prefix });
  const registers = [registry];
  const tallies = (name: string, help: string, label?: string) => {
    const byValue = new Map<string, Tally>();
    const taken = new Map<Tally, number>();
    const collect = function (this: Counter) {
      for (const [value, tally] of byValue) {
        this.inc(label === undefined ? {} : { [label]: value }, tally.count - (taken.get(tally) ?? 0));
        taken.set(tally, tally.count);
      }
    };
    const labelNames = label === undefined ? [] : [label];
    new Counter({ name: prefix + name, help, labelNames, registers, collect });
    return (value: string): Tally => {
      const known = byValue.get(value);
      if (known) return known;
      const tally = { count: 0 };
      byValue.set(value, tally);
      return tally;
    };
  };
  return {
    contentType: registry.contentType,
    counter: (name, help, labels = []) =>
      new Counter({ name: prefix + name, help, labelNames: labels, registers }),
    tally: (name, help) => tallies(name, help)(''),
    tallies,
    gauge: (name, help, labels = []) =>
      new Gauge({ name: prefix + name, help, labelNames: labels, registers }),
    observed(name, help, read) {
      const collect = function (this: Gauge) {
        this.set(read());
      };
      new Gauge({ name: prefix + name, help, registers, collect });
    },
    histogram: (name, help, { buckets, labels = [] }) =>
      new Histogram({
        name: prefix + name,
        help,
        labelNames: labels,
        buckets: [...buckets],
        registers,
      }),
    text: () => registry.metrics(),
  };
}
