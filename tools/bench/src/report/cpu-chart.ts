import { type Bar, bars } from './bars.ts';
import type { Summary } from './report.ts';

/** CPU a delivery of one workload, a bar a target, made of the roles. The parts are scaled to the median of the sum. */
export function cpuChart(workload: string, summaries: readonly Summary[]): string | undefined {
  const all = summaries.flatMap(({ target, figures }): Bar[] => {
    if (!figures.cpu_us) return [];
    const { median, lowest, highest } = figures.cpu_us;
    const roles = roleCosts(figures);
    const sum = roles.reduce((total, { value }) => total + value, 0);
    const parts = roles.map(({ name, value }) => ({
      name,
      className: `role-${name}`,
      value: (value / sum) * median,
    }));
    return [{ label: target, parts, lowest, highest, unit: 'µs' }];
  });
  return all.length > 0 ? bars(`${workload}: server CPU microseconds a delivery, by role`, all) : undefined;
}

/** Acknowledged deliveries a second, a bar a target. */
export function throughputChart(workload: string, summaries: readonly Summary[]): string | undefined {
  const all = summaries.flatMap(({ target, figures }): Bar[] => {
    if (!figures.deliveries_per_s) return [];
    const { median, lowest, highest } = figures.deliveries_per_s;
    const parts = [{ className: 'plain', name: 'deliveries a second', value: median }];
    return [{ label: target, parts, lowest, highest, unit: '/s' }];
  });
  return all.length > 0 ? bars(`${workload}: acknowledged deliveries a second`, all) : undefined;
}

/** The roles of all targets, in the order in which they are drawn. */
export function rolesOf(summaries: readonly Summary[]): string[] {
  return [...new Set(summaries.flatMap(({ figures }) => roleCosts(figures).map(({ name }) => name)))];
}

function roleCosts(figures: Summary['figures']): { name: string; value: number }[] {
  return Object.entries(figures).flatMap(([figure, { median }]) => {
    const name = /^cpu_(.+)_us$/.exec(figure)?.[1];
    return name ? [{ name, value: median }] : [];
  });
}
