import { type Report, spread } from './report.ts';

type Side = readonly [workload: string, target: string, figure: string];

/** Of what the first figure is told as so many times the second one. */
const comparisons: readonly (readonly [one: Side, other: Side])[] = [
  ...both(['cold-direct', 'ours'], ['hot-direct', 'ours'], ['cpu_us', 'p50_ms', 'p99_ms']),
  ...both(['paced-direct', 'ours'], ['paced-direct', 'socketio'], ['cpu_us', 'p50_ms', 'p99_ms']),
  ...both(['direct', 'ours'], ['direct', 'uws-limit'], ['cpu_us']),
  ...both(['direct', 'ours'], ['direct', 'socketio'], ['cpu_us']),
  ...both(['fanout', 'ours'], ['fanout', 'uws-limit'], ['cpu_us']),
  ...both(['fanout', 'ours'], ['fanout', 'socketio'], ['cpu_us']),
  [
    ['big', 'ours', 'p99_told_ms'],
    ['big', 'ours', 'p99_ms'],
  ],
  [
    ['big', 'ours', 'p99_sign_in_ms'],
    ['big', 'ours', 'p99_ms'],
  ],
];

/** What scrapes could make worse: all of these but the last two are better when they are less. */
const scrapedFigures = ['cpu_us', 'p50_ms', 'p99_ms', 'kilobytes', 'deliveries_per_s', 'sign_ins_per_s'];

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
  const rounds = [...new Set(results.map(({ round }) => round))];
  const workloads = [...new Set(results.map(({ workload }) => workload))];
  const ofScrapes = workloads.flatMap((workload) =>
    both([workload, 'scraped'], [workload, 'ours'], scrapedFigures),
  );
  return [...comparisons, ...ofScrapes].flatMap(([one, other]) => {
    const ratios = rounds.flatMap((round) => {
      const [value, base] = [one, other].map(
        ([workload, target, figure]) =>
          results.find(
            (trial) => trial.round === round && trial.workload === workload && trial.target === target,
          )?.figures?.[figure],
      );
      return value === undefined || !base ? [] : [value / base];
    });
    if (ratios.length === 0) return [];
    const { median, lowest, highest } = spread(ratios);
    const range = ratios.length > 1 ? ` (${lowest.toFixed(2)}–${highest.toFixed(2)})` : '';
    return [`${one.join(' ')} / ${other.join(' ')}: ${median.toFixed(2)}${range}`];
  });
}
