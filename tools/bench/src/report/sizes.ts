import { baseSize, sizes } from '../workloads/sizes.ts';
import { climbMax } from './growth.ts';
import type { Summary } from './report.ts';
import { digits } from './table.ts';

/** What a delivery costs in systems of other sizes, and what they cost at rest: a line each. Against the base if it was measured. */
export function sizeLines(summaries: readonly Summary[]): string[] {
  const cpuOf = (name: string) => summaries.find(({ workload }) => workload === name)?.figures.cpu_us?.median;
  const base = cpuOf(baseSize);
  return Object.entries(sizes).flatMap(([name, { connections, groupSize, gateways, redis }]) => {
    const cpu = cpuOf(name);
    if (cpu === undefined) return [];
    const times = base ? ` (× ${(cpu / base).toFixed(2)})` : '';
    const climbs = base && cpu / base > climbMax ? '; CLIMBS more than 20 %' : '';
    const { figures = {} } = summaries.find(({ workload }) => workload === name) ?? {};
    return [
      `${connections.toLocaleString('en')} idle connections in groups of ${groupSize}, gateways ${gateways}, Redis ${redis}: ${digits(cpu)} µs a delivery${times}${climbs}${restText(figures)}`,
    ];
  });
}

function restText(figures: Summary['figures']): string {
  const roles = Object.entries(figures).flatMap(([name, { median }]) => {
    const role = /^rest_(.+)_ms$/.exec(name)?.[1];
    return role === undefined ? [] : [`${role} ${digits(median)}`];
  });
  return roles.length > 0 ? `; at rest ${roles.join(', ')} ms of CPU a second` : '';
}
