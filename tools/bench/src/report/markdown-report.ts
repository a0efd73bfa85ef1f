import { machineLine } from '../measure/machine.ts';
import { units } from '../workloads/figures.ts';
import { cpuChart } from './cpu-chart.ts';
import { goalTable } from './goal-table.ts';
import { growthCurves, growthLines } from './growth.ts';
import { ratioLines } from './ratios.ts';
import type { Report, Summary } from './report.ts';
import { sizeLines } from './sizes.ts';
import { columnsOf, hopLinesOf, memoryLinesOf, roleLines, table } from './table.ts';
import { turnLines } from './turns.ts';
import { yearLines } from './year.ts';

/** The whole report as a page in Markdown. Texts of servers stand in code blocks, where nothing in them is markup. */
export function markdownReport(report: Report, summaries: readonly Summary[]): string {
  const { command, startedAt, machine, notMeasured } = report;
  const faults = summaries.flatMap(({ workload, target, faults: all }) =>
    all.map((fault) => `${workload}, ${target}: ${fault}`),
  );
  const meanings = columnsOf(summaries).map(([title, name]) => `${title}: ${units[name]}`);
  return [
    '# What the benchmark measured',
    block([command]),
    list([`started ${startedAt}`, machineLine(machine)]),
    faults.length === 0
      ? 'In no trial was anything lost, doubled or reordered.'
      : `A trial with a fault has no figures; medians are of the others. Faults:\n\n${block(faults)}`,
    ...(notMeasured.length > 0 ? ['## Not measured', list(notMeasured)] : []),
    '## Figures',
    'Medians; over several trials, with the lowest and the highest in parentheses.',
    table(summaries),
    list(meanings),
    ...goalTable(report).flatMap((lines) => ['## Goals', lines]),
    ...chapter('Compared within one round', ratioLines(report)),
    ...chapter('Scraped and not scraped, in turns', turnLines(report), turnsNotes),
    ...chapter('One quiet message, hop by hop', summaries.flatMap(hopLinesOf)),
    ...chapter('Memory', summaries.flatMap(memoryLinesOf)),
    ...chapter('A year of messages', summaries.flatMap(yearLines)),
    ...chapter('Server CPU a delivery, by role', cpuChart(summaries), roleLines(summaries)),
    ...chapter('Cost that does not grow', [...growthLines(growthCurves(summaries)), ...sizeLines(summaries)]),
  ].join('\n\n');
}

const turnsNotes = [
  'cpu_us and deliveries_per_s: the median over pairs of neighbouring turns of how many times as bad the one is that is scraped, and the interval that has the true one in 95 of 100 trials. Fewer deliveries a second are worse.',
  'p50_ms, p95_ms and p99_ms: percentiles of all deliveries of all turns that are scraped, and of those of them that were sent while nothing was read, nor shortly before or behind it; and how many times as long the first is. The interval is by a bootstrap over whole turns.',
];

/** Nothing where there are no lines. */
function chapter(title: string, lines: readonly string[], notes: readonly string[] = []): string[] {
  return lines.length > 0 ? [`## ${title}`, block(lines), ...(notes.length > 0 ? [list(notes)] : [])] : [];
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

function block(lines: readonly string[]): string {
  return ['```text', ...lines.map((line) => line.replaceAll('```', "'''")), '```'].join('\n');
}
