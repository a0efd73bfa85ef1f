import { markdownTable } from 'markdown-table';
import { hopLines } from '../measure/hops.ts';
import { memoryLines } from '../measure/memory.ts';
import type { Spread, Summary } from './report.ts';

/** Titles and figures. */
const allColumns = [
  ['messages/s', 'messages_per_s'],
  ['piles up at', 'piled_up_per_s'],
  ['deliveries/s', 'deliveries_per_s'],
  ['p50 ms', 'p50_ms'],
  ['p95 ms', 'p95_ms'],
  ['p99 ms', 'p99_ms'],
  ['p99 ms, told', 'p99_told_ms'],
  ['p99 ms, sign-in', 'p99_sign_in_ms'],
  ['told s', 'told_s'],
  ['sign-in s', 'sign_in_s'],
  ['CPU µs/delivery', 'cpu_us'],
  ['jobs/message', 'jobs_per_message'],
  ['entries/message', 'entries_per_message'],
  ['Redis commands/message', 'redis_per_message'],
  ['rows/message', 'rows_per_message'],
  ['KB/connection', 'kilobytes'],
  ['KB/connection after 10 s', 'kilobytes_soon'],
  ['bytes of Redis/connection', 'redis_bytes'],
  ['sign-ins/s', 'sign_ins_per_s'],
  ['quiet p50 ms', 'quiet_p50_ms'],
  ['quiet p99 ms', 'quiet_p99_ms'],
  ['worst p99 ms', 'worst_p99_ms'],
  ['all in s', 'all_in_s'],
  ['MB before', 'quiet_mb'],
  ['MB after', 'after_mb'],
  ['replayed/s', 'replayed_per_s'],
  ['waited', 'waited'],
  ['came s', 'came_s'],
] as const;

/** The columns that have a figure in some row, each as its title and the name of the figure. */
export function columnsOf(summaries: readonly Summary[]) {
  return allColumns.filter(([, name]) => summaries.some(({ figures }) => figures[name]));
}

/** The medians as a table in Markdown, a row for each workload and target. */
export function table(summaries: readonly Summary[]): string {
  const columns = columnsOf(summaries);
  return markdownTable([
    ['workload', 'target', 'runs', ...columns.map(([title]) => title)],
    ...summaries.map(({ workload, target, runs, faults, figures }) => [
      workload,
      target,
      faults.length > 0 ? `${runs} (${faults.length} FAILED)` : String(runs),
      ...columns.map(([, name]) => cell(figures[name])),
    ]),
  ]);
}

/** The CPU of each role a delivery, in microseconds. */
export function roleCosts({ figures }: Summary): { role: string; us: number }[] {
  return Object.entries(figures).flatMap(([name, { median }]) => {
    const role = /^cpu_(.+)_us$/.exec(name)?.[1];
    return role ? [{ role, us: median }] : [];
  });
}

/** CPU a delivery by role, and how much of a core the load generator took: a line for each workload and target. */
export function roleLines(summaries: readonly Summary[]): string[] {
  return summaries.flatMap((summary) => {
    const { workload, target, figures } = summary;
    const costs = roleCosts(summary).map(({ role, us }) => `${role} ${digits(us)}`);
    if (costs.length === 0) return [];
    const share = figures.load_share ? Math.round(figures.load_share.median * 100) : 0;
    const saturated = figures.is_saturated ? '; the load generator was SATURATED' : '';
    return [
      `${workload}, ${target}: ${costs.join(', ')} µs; load generator ${share} % of a core${saturated}`,
    ];
  });
}

/** Where a single message spends its time: a line each hop, of the workload that looks. */
export function hopLinesOf({ figures }: Summary): string[] {
  return hopLines(mediansOf(figures));
}

/** Memory by role, of the workloads that watch it: a line each role. */
export function memoryLinesOf({ workload, target, figures }: Summary): string[] {
  return memoryLines(mediansOf(figures)).map((line) => `${workload}, ${target}: ${line}`);
}

function mediansOf(figures: Summary['figures']): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, { median }]) => [name, median]));
}

function cell(spread: Spread | undefined): string {
  if (!spread) return '';
  const { median, lowest, highest } = spread;
  return lowest === highest ? digits(median) : `${digits(median)} (${digits(lowest)}–${digits(highest)})`;
}

export function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
