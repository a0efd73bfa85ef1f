import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type HotCounter, type HotHistogram, hotCounterFamily, hotHistogramFamily } from './hot-metrics.ts';
import { metricsText } from './metrics-text.ts';
import { collectProcessMetrics } from './process-metrics.ts';

const prefix = 'hooligram_';

export type { Counter, Gauge, Histogram, HotCounter, HotHistogram };

/**
 * Names of labels; or each with all values that it can have: such a metric has all its series, with 0, from the start. Where
 * those of one are too many to be listed, it has none.
 */
type LabelsOf<L extends string> = readonly L[] | Readonly<Record<L, readonly string[]>>;

/** A gauge whose value is asked for when somebody reads the metrics: costs nothing in between. */
export type Observed = {
  /** From now on it has this value. Until then the gauge has none. */
  read(value: () => number): void;
};

export type MetricDescription = {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** With all values that it can have, if they are known. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
};

/** Every name is given without the prefix `hooligram_`, every unit is part of the name (`_seconds`, `_bytes`). */
export type Metrics = {
  counter<L extends string = never>(name: string, help: string, labels?: LabelsOf<L>): Counter<L>;
  /** A counter for what happens a hundred thousand times a second. */
  hotCounter(name: string, help: string): HotCounter;
  /**
   * The same with one label or two. Where the values of the first are not known, its series appear with the first count of one of
   * them, and are 0 when they are read for the first time.
   * @returns the counter of values of these labels, in their order
   */
  hotCounters(
    name: string,
    help: string,
    labels: string | Readonly<Record<string, readonly string[]>>,
  ): (first: string, second?: string) => HotCounter;
  /** A histogram for what happens as often. @returns that of a value of the label */
  hotHistograms(
    name: string,
    help: string,
    options: { buckets: readonly number[]; label?: string; values?: readonly string[] },
  ): (value?: string) => HotHistogram;
  gauge<L extends string = never>(name: string, help: string, labels?: LabelsOf<L>): Gauge<L>;
  observed(name: string, help: string, read?: () => number): Observed;
  histogram<L extends string = never>(
    name: string,
    help: string,
    options: { buckets: readonly number[]; labels?: LabelsOf<L> },
  ): Histogram<L>;
  /** The Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
  /** Everything that was made so far, in that order; first what every process of Node has. */
  describe(): readonly MetricDescription[];
};

/**
 * A registry of its own with the process's default metrics, under the names that every Prometheus client gives them;
 * `role` is a label of every metric.
 */
export function createMetrics(options: { role: string }): Metrics {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const described: MetricDescription[] = registry
    .getMetricsAsArray()
    .map((metric) => ({ name: metric.name, help: metric.help, type: typeOf(metric), labels: {} }));
  const registers = [registry];
  const begin = (name: string, type: string, help: string, labels: LabelsOf<string>) => {
    const values = valuesOf(labels);
    described.push({ name: prefix + name, type, help, labels: values });
    return { name: prefix + name, help, labelNames: Object.keys(values), registers };
  };

  return {
    contentType: registry.contentType,
    counter(name, help, labels = []) {
      const counter = new Counter<string>(begin(name, 'counter', help, labels));
      for (const each of combinations(labels)) counter.inc(each, 0);
      return counter as Counter<never>;
    },
    hotCounter(name, help) {
      begin(name, 'counter', help, []);
      return hotCounterFamily({ registry, name: prefix + name, help, labels: [] }, [[]])();
    },
    hotCounters(name, help, given) {
      const labels = typeof given === 'string' ? [given] : given;
      const { labelNames } = begin(name, 'counter', help, labels);
      const [, seconds] = Object.values(valuesOf(labels));
      const fromStart = combinations(labels).map((each) => Object.values(each));
      return hotCounterFamily(
        { registry, name: prefix + name, help, labels: labelNames },
        fromStart,
        seconds,
      );
    },
    hotHistograms(name, help, { buckets, label, values = [] }) {
      const labels = label === undefined ? [] : [label];
      begin(name, 'histogram', help, label === undefined ? [] : { [label]: values });
      const find = hotHistogramFamily({ registry, name: prefix + name, help, labels }, buckets);
      for (const value of values) find(value);
      if (label === undefined) find();
      return find;
    },
    gauge(name, help, labels = []) {
      const gauge = new Gauge<string>(begin(name, 'gauge', help, labels));
      for (const each of combinations(labels)) gauge.set(each, 0);
      return gauge as Gauge<never>;
    },
    observed(name, help, read) {
      let value = read;
      const collect = function (this: Gauge) {
        if (value) this.set(value());
        else this.remove();
      };
      new Gauge({ ...begin(name, 'gauge', help, []), collect });
      return {
        read(next) {
          value = next;
        },
      };
    },
    histogram(name, help, { buckets, labels = [] }) {
      const histogram = new Histogram<string>({
        ...begin(name, 'histogram', help, labels),
        buckets: [...buckets],
      });
      for (const each of combinations(labels)) histogram.zero(each);
      return histogram as Histogram<never>;
    },
    text: () => metricsText(registry, { role: options.role }),
    describe: () => described,
  };
}

function typeOf(metric: object): string {
  return 'type' in metric ? String(metric.type) : 'gauge';
}

function valuesOf(labels: LabelsOf<string>): Readonly<Record<string, readonly string[]>> {
  return isList(labels) ? Object.fromEntries(labels.map((label) => [label, []])) : labels;
}

/** All series of a metric, if the values of all of its labels are known. */
function combinations(labels: LabelsOf<string>): Record<string, string>[] {
  if (isList(labels)) return [];
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (all, [label, values]) => all.flatMap((each) => values.map((value) => ({ ...each, [label]: value }))),
    [{}],
  );
}

function isList(labels: LabelsOf<string>): labels is readonly string[] {
  return Array.isArray(labels);
}
