import { baseSize, sizes } from '../workloads/sizes.ts';
import { climbMax } from './growth.ts';
import type { Summary } from './report.ts';
import { digits } from './table.ts';

/** What a delivery costs in systems of other sizes: a line each. Against the base if it was measured. */
export function sizeLines(summaries: readonly Summary[]): string[] {
  const cpuOf = (name: string) => summaries.find(({ workload }) => workload === name)?.figures.cpu_us?.median;
  const base = cpuOf(baseSize);
  return Object.entries(sizes).flatMap(([name, { connections, gateways, redises }]) => {
    const cpu = cpuOf(name);
    if (cpu === undefined) return [];
    const times = base ? ` (× ${(cpu / base).toFixed(2)})` : '';
    const climbs = base && cpu / base > climbMax ? '; CLIMBS more than 20 %' : '';
    return [
      `${connections.toLocaleString('en')} idle connections, gateways ${gateways}, Redis ${redises}: ${digits(cpu)} µs a delivery${times}${climbs}`,
    ];
  });
}
