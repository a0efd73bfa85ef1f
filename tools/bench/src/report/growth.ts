import { basePoint, type Dimension, type GrowthPoint, growthPoints } from '../workloads/growth.ts';
import type { Spread, Summary } from './report.ts';
import { digits } from './table.ts';

/** A curve may climb to so many times the base point. */
export const climbMax = 1.2;

type CurvePoint = {
  readonly value: number;
  /** CPU microseconds a delivery; undefined when the trial had no figures. */
  readonly cpu: Spread | undefined;
  /** The median to that of the base point. */
  readonly ratio: number | undefined;
};

/** How the cost of a delivery follows one dimension. Its points grow, and the base point is among them. */
export type Curve = {
  readonly dimension: Dimension;
  readonly points: readonly CurvePoint[];
  /** Some point costs more than `climbMax` times as much as the base point. */
  readonly climbs: boolean;
};

/** @returns none when growth was not measured, or its base point has no figures */
export function growthCurves(summaries: readonly Summary[]): Curve[] {
  const cpuOf = (workload: string) => summaries.find((one) => one.workload === workload)?.figures.cpu_us;
  const base = cpuOf('growth-base');
  if (!base) return [];
  return (Object.keys(basePoint) as Dimension[]).flatMap((dimension) => {
    const others = Object.entries(growthPoints as Record<string, Partial<GrowthPoint>>).flatMap(
      ([name, change]) =>
        dimension in change && summaries.some(({ workload }) => workload === name)
          ? [{ value: change[dimension] as number, cpu: cpuOf(name) }]
          : [],
    );
    if (others.length === 0) return [];
    const points = [{ value: basePoint[dimension], cpu: base }, ...others]
      .map(({ value, cpu }) => ({ value, cpu, ratio: cpu && cpu.median / base.median }))
      .toSorted((one, other) => one.value - other.value);
    return [{ dimension, points, climbs: points.some(({ ratio = 0 }) => ratio > climbMax) }];
  });
}

/** A line for each dimension. */
export function growthLines(curves: readonly Curve[]): string[] {
  return curves.map(({ dimension, points, climbs }) => {
    const steps = points.map(
      ({ value, cpu, ratio }) =>
        `${value.toLocaleString('en')}: ${cpu && ratio ? `${digits(cpu.median)} µs (× ${ratio.toFixed(2)})` : 'no figure'}`,
    );
    return `${dimension}: ${steps.join(', ')}${climbs ? '; CLIMBS more than 20 %' : ''}`;
  });
}
