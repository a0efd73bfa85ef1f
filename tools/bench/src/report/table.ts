import type { Spread, Summary } from './report.ts';

/** Titles and figures. */
export const columns = [
  ['messages/s', 'messages_per_s'],
  ['deliveries/s', 'deliveries_per_s'],
  ['p50 ms', 'p50_ms'],
  ['p95 ms', 'p95_ms'],
  ['p99 ms', 'p99_ms'],
  ['CPU µs/delivery', 'cpu_us'],
  ['KB/connection', 'kilobytes'],
  ['sign-ins/s', 'sign_ins_per_s'],
  ['replayed/s', 'replayed_per_s'],
] as const;

/** Medians, a row a workload and target; Markdown, so that it can be pasted into a page. */
export function table(summaries: readonly Summary[]): string {
  const used = columns.filter(([, name]) => summaries.some(({ figures }) => figures[name]));
  const rows = [
    ['workload', 'target', 'runs', ...used.map(([title]) => title)],
    ...summaries.map(({ workload, target, runs, faults, figures }) => [
      workload,
      target,
      faults.length > 0 ? `${runs} (${faults.length} FAILED)` : String(runs),
      ...used.map(([, name]) => cell(figures[name])),
    ]),
  ];
  const widths = (rows[0] as string[]).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map(
    (row) => `| ${row.map((text, at) => text.padEnd(widths[at] as number)).join(' | ')} |`,
  );
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** CPU a delivery by role, and what the load generator used. */
export function roleLines(summaries: readonly Summary[]): string[] {
  return summaries.flatMap(({ workload, target, figures }) => {
    const roles = Object.entries(figures).filter(([name]) => /^cpu_.+_us$/.test(name));
    if (roles.length === 0) return [];
    const parts = roles.map(([name, { median }]) => `${name.slice(4, -3)} ${digits(median)}`);
    const share = figures.load_share ? Math.round(figures.load_share.median * 100) : 0;
    const saturated = figures.is_saturated ? '; the load generator was SATURATED' : '';
    return [
      `${workload}, ${target}: ${parts.join(', ')} µs; load generator ${share} % of a core${saturated}`,
    ];
  });
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
