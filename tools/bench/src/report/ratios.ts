import { type Report, spread, type TrialResult } from './report.ts';

type Side = readonly [workload: string, target: string, figure: string];

/** Of what the first figure is told as so many times the second one. */
const comparisons: readonly (readonly [one: Side, other: Side])[] = [
  ...both(['cold-direct', 'ours'], ['hot-direct', 'ours'], ['cpu_us', 'p50_ms', 'p99_ms']),
  ...both(['paced-direct', 'ours'], ['paced-direct', 'socketio'], ['cpu_us', 'p50_ms', 'p99_ms']),
  ...both(['direct', 'ours'], ['direct', 'uws-limit'], ['cpu_us']),
  ...both(['direct', 'ours'], ['direct', 'socketio'], ['cpu_us']),
  ...both(['fanout', 'ours'], ['fanout', 'uws-limit'], ['cpu_us']),
  ...both(['fanout', 'ours'], ['fanout', 'socketio'], ['cpu_us']),
  ...slowLinks(['slow-link', 'slow-link-100000']),
  [
    ['big', 'ours', 'p99_told_ms'],
    ['big', 'ours', 'p99_ms'],
  ],
  [
    ['big', 'ours', 'p99_sign_in_ms'],
    ['big', 'ours', 'p99_ms'],
  ],
];

/** What others notice of it. */
function slowLinks(workloads: readonly string[]): [Side, Side][] {
  return workloads.flatMap((workload) =>
    ['p50_ms', 'p99_ms'].map((figure): [Side, Side] => [
      [workload, 'ours', figure],
      [workload, 'ours', `quiet_${figure}`],
    ]),
  );
}
/** What traces could make worse: all of these but the last two are better when they are less. */
const tracedFigures = ['cpu_us', 'p50_ms', 'p99_ms', 'kilobytes', 'deliveries_per_s', 'sign_ins_per_s'];

function both(
  one: readonly [workload: string, target: string],
  other: readonly [workload: string, target: string],
  figures: readonly string[],
): [Side, Side][] {
  return figures.map((figure) => [
    [...one, figure],
    [...other, figure],
  ]);
}

/**
 * How many times as much one costs as the other: a line each, median and range of the ratios within one round, because
 * the machine's own speed drifts from one round to the next. Only what was measured on both sides.
 */
export function ratioLines({ results }: Pick<Report, 'results'>): string[] {
  const workloads = [...new Set(results.map(({ workload }) => workload))];
  const traced = workloads.flatMap((workload) =>
    both([workload, 'traced'], [workload, 'ours'], tracedFigures),
  );
  return [...comparisons, ...traced].flatMap(([one, other]) => {
    const ratios = ratiosOf(results, one, other);
    if (ratios.length === 0) return [];
    const { median, lowest, highest } = spread(ratios);
    const range = ratios.length > 1 ? ` (${lowest.toFixed(2)}–${highest.toFixed(2)})` : '';
    return [`${one.join(' ')} / ${other.join(' ')}: ${median.toFixed(2)}${range}`];
  });
}

/** A figure of each round, or how many times as much as another one of that round it was. */
export function ratiosOf(results: readonly TrialResult[], one: Side, other: Side | undefined): number[] {
  const figureOf = (round: number, [workload, target, figure]: Side) =>
    results.find((trial) => trial.round === round && trial.workload === workload && trial.target === target)
      ?.figures?.[figure];
  return [...new Set(results.map(({ round }) => round))].flatMap((round) => {
    const value = figureOf(round, one);
    const base = other ? figureOf(round, other) : 1;
    return value === undefined || !base ? [] : [value / base];
  });
}
