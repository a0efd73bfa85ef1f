import type { Machine } from '../measure/machine.ts';
import type { Figures } from '../workloads/figures.ts';

/** One run: its figures, or why it has none. */
export type RunResult = {
  readonly round: number;
  readonly workload: string;
  readonly target: string;
  readonly figures?: Figures;
  readonly fault?: string;
};

/** What `bench-results/*.json` holds. */
export type Report = {
  readonly command: string;
  /** ISO 8601 */
  readonly startedAt: string;
  readonly machine: Machine;
  /** What was asked for and could not be measured, a line each. */
  readonly notMeasured: readonly string[];
  readonly results: readonly RunResult[];
};

/** Of one figure over all runs. */
export type Spread = { readonly median: number; readonly lowest: number; readonly highest: number };

/** One workload on one target, over all its runs that had no fault. */
export type Summary = {
  readonly workload: string;
  readonly target: string;
  readonly runs: number;
  readonly faults: readonly string[];
  readonly figures: Readonly<Record<string, Spread>>;
};

export function summarize({ results }: Pick<Report, 'results'>): Summary[] {
  const keys = [...new Set(results.map(({ workload, target }) => `${workload} ${target}`))];
  return keys.map((key) => {
    const [workload = '', target = ''] = key.split(' ');
    const runs = results.filter((run) => run.workload === workload && run.target === target);
    const sound = runs.flatMap(({ figures }) => (figures ? [figures] : []));
    const names = [...new Set(sound.flatMap((figures) => Object.keys(figures)))];
    const figures = Object.fromEntries(
      names.map((name) => [name, spread(sound.flatMap((run) => run[name] ?? []))]),
    );
    return {
      workload,
      target,
      runs: sound.length,
      faults: runs.flatMap(({ fault }) => fault ?? []),
      figures,
    };
  });
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return {
    median: (low + high) / 2,
    lowest: sorted.at(0) ?? Number.NaN,
    highest: sorted.at(-1) ?? Number.NaN,
  };
}
