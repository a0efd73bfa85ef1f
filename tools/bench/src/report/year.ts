import { cases } from '../year/cases.ts';
import type { Summary } from './report.ts';
import { digits } from './table.ts';

/** On a year of messages a statement may cost so many times as much as on an empty database. */
const timesMax = 1.2;

/** What each statement costs on a full and on an empty database: a line each, of the workload that compares them. */
export function yearLines({ figures }: Pick<Summary, 'figures'>): string[] {
  const medianOf = (name: string) => figures[name]?.median;
  const rows = medianOf('year_rows');
  if (rows === undefined) return [];
  const title = `${rows.toLocaleString('en')} messages in ${medianOf('year_groups')?.toLocaleString('en')} groups`;
  return [
    `${title.padEnd(80)}${['ms', 'empty', '×', 'blocks', 'empty', '×', 'read'].map((name) => name.padStart(8)).join('')}`,
    ...cases.flatMap(({ name, about }) => {
      const [ms, baseMs, blocks, baseBlocks, read] = ['ms', 'empty_ms', 'blocks', 'empty_blocks', 'read'].map(
        (figure) => medianOf(`year_${name}_${figure}`) ?? Number.NaN,
      ) as [number, number, number, number, number];
      const times = [ms / baseMs, blocks / baseBlocks] as const;
      const cells = [
        digits(ms),
        digits(baseMs),
        times[0].toFixed(2),
        blocks,
        baseBlocks,
        times[1].toFixed(2),
        read,
      ];
      const isMore = times.some((one) => one > timesMax);
      return `${about.padEnd(80)}${cells.map((cell) => String(cell).padStart(8)).join('')}${isMore ? `  MORE than ${timesMax} times` : ''}`;
    }),
  ];
}
