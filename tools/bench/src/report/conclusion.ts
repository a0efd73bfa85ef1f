import { machineLine } from '../measure/machine.ts';
import { growthCurves, growthLines } from './growth.ts';
import type { Report, Summary } from './report.ts';
import { roleLines, table } from './table.ts';

/** The text that the terminal shows at the end. */
export function conclusion({ machine, notMeasured }: Report, summaries: readonly Summary[]): string {
  const notes = [...roleLines(summaries), ...growthLines(growthCurves(summaries)), ...notMeasured];
  return [table(summaries), '', ...notes, '', machineLine(machine)].join('\n');
}
