import type { Summary } from './report.ts';
import { digits, roleCosts } from './table.ts';

const barLength = 60;

/** All points of growth are drawn to one scale. */
const scaleOf = (workload: string) => (workload.startsWith('growth-') ? 'growth' : workload);

/**
 * CPU a delivery as text: a bar for each workload and target, made of the first letters of the roles. The longest bar
 * of a workload has 60 letters.
 * @returns one line a bar; none where no CPU is known
 */
export function cpuChart(summaries: readonly Summary[]): string[] {
  const rows = summaries.flatMap((summary) => {
    const total = summary.figures.cpu_us?.median;
    return total === undefined ? [] : [{ ...summary, total, costs: roleCosts(summary) }];
  });
  return rows.map(({ workload, target, total, costs }) => {
    const compared = rows.filter((row) => scaleOf(row.workload) === scaleOf(workload));
    const longest = Math.max(...compared.map((row) => row.total));
    const part = ({ role, us }: (typeof costs)[number]) =>
      role.charAt(0).repeat(Math.round((us / longest) * barLength));
    return `${workload.padEnd(26)}${target.padEnd(11)}${costs.map(part).join('')} ${digits(total)} µs`;
  });
}
