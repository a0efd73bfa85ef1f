import type { Machine } from '../measure/machine.ts';
import type { Figures } from '../workloads/figures.ts';

/** One trial: its figures, or the fault for which it has none. */
export type TrialResult = {
  readonly round: number;
  readonly workload: string;
  readonly target: string;
  readonly figures?: Figures;
  readonly fault?: string;
};

/** The content of `bench-results/*.json`. */
export type Report = {
  readonly command: string;
  /** ISO 8601 */
  readonly startedAt: string;
  readonly machine: Machine;
  /** A line for each workload and target that the flags asked for and that could not be measured. */
  readonly notMeasured: readonly string[];
  readonly results: readonly TrialResult[];
};

/** One figure over all trials. */
export type Spread = { readonly median: number; readonly lowest: number; readonly highest: number };

/** One workload on one target, over all its trials without a fault. */
export type Summary = {
  readonly workload: string;
  readonly target: string;
  /** How many trials had figures. */
  readonly runs: number;
  readonly faults: readonly string[];
  readonly figures: Readonly<Record<string, Spread>>;
};

export function summarize({ results }: Pick<Report, 'results'>): Summary[] {
  const keys = [...new Set(results.map(({ workload, target }) => `${workload} ${target}`))];
  return keys.map((key) => {
    const [workload = '', target = ''] = key.split(' ');
    const trials = results.filter((trial) => trial.workload === workload && trial.target === target);
    const sound = trials.flatMap(({ figures }) => (figures ? [figures] : []));
    const names = [...new Set(sound.flatMap((figures) => Object.keys(figures)))];
    const figures = Object.fromEntries(
      names.map((name) => [name, spread(sound.flatMap((trial) => trial[name] ?? []))]),
    );
    const faults = trials.flatMap(({ fault }) => fault ?? []);
    return { workload, target, runs: sound.length, faults, figures };
  });
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  const [lowest = Number.NaN, highest = Number.NaN] = [sorted.at(0), sorted.at(-1)];
  return { median: (low + high) / 2, lowest, highest };
}
