import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const prefix = 'hooligram_';

/**
 * How often the lag of the event loop is measured. Each measurement wakes the process: at prom-client's 10 ms an idle
 * one wakes a hundred times a second for nothing else. What `nodejs_eventloop_lag_p99_seconds` and the like tell contains
 * this pause: 0.1 is no lag.
 */
const lagEveryMs = 100;

export type { Counter, Gauge, Histogram };

/** How often something happened. Adding one is one addition; the metric reads the number when somebody reads the metrics. */
type HotCounter = { count: number };

/** Every name is given without the prefix `hooligram_`, every unit is part of the name (`_seconds`, `_bytes`). */
export type Metrics = {
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  /** A counter for what happens a hundred thousand times a second. */
  hotCounter(name: string, help: string): HotCounter;
  /** The same with one label. @returns the counter of a value of that label */
  hotCounters(name: string, help: string, label: string): (value: string) => HotCounter;
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
  collectDefaultMetrics({ register: registry, prefix: prefix, eventLoopMonitoringPrecision: lagEveryMs });
  const registers = [registry];
  const hotCounters = (name: string, help: string, label?: string) => {
    const byValue = new Map<string, HotCounter>();
    const taken = new Map<HotCounter, number>();
    const collect = function (this: Counter) {
      for (const [value, counter] of byValue) {
        this.inc(label === undefined ? {} : { [label]: value }, counter.count - (taken.get(counter) ?? 0));
        taken.set(counter, counter.count);
      }
    };
    const labelNames = label === undefined ? [] : [label];
    new Counter({ name: prefix + name, help, labelNames, registers, collect });
    return (value: string): HotCounter => {
      const known = byValue.get(value);
      if (known) return known;
      const counter = { count: 0 };
      byValue.set(value, counter);
      return counter;
    };
  };
  return {
    contentType: registry.contentType,
    counter: (name, help, labels = []) =>
      new Counter({ name: prefix + name, help, labelNames: labels, registers }),
    hotCounter: (name, help) => hotCounters(name, help)(''),
    hotCounters,
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
