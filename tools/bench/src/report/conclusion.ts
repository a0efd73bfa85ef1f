import { machineLine } from '../measure/machine.ts';
import { goalTable } from './goal-table.ts';
import { growthCurves, growthLines } from './growth.ts';
import { ratioLines } from './ratios.ts';
import type { Report, Summary } from './report.ts';
import { sizeLines } from './sizes.ts';
import { hopLinesOf, memoryLinesOf, roleLines, table } from './table.ts';
import { turnLines } from './turns.ts';
import { yearLines } from './year.ts';

/** The text that the terminal shows at the end. */
export function conclusion(report: Report, summaries: readonly Summary[]): string {
  const { machine, notMeasured } = report;
  const curves = growthLines(growthCurves(summaries));
  const notes = [
    ...roleLines(summaries),
    ...ratioLines(report),
    ...turnLines(report),
    ...curves,
    ...sizeLines(summaries),
    ...summaries.flatMap(hopLinesOf),
    ...summaries.flatMap(memoryLinesOf),
    ...summaries.flatMap(yearLines),
    ...notMeasured,
  ];
  const goals = goalTable(report).flatMap((lines) => ['', lines]);
  return [table(summaries), ...goals, '', ...notes, '', machineLine(machine)].join('\n');
}
