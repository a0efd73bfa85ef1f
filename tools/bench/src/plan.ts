import { OptionsError } from '@hooligram/local';
import { jobsOfGoals } from './goals.ts';
import type { Options } from './options.ts';
import type { TargetName } from './targets/index.ts';
import { type WorkloadName, workloads } from './workloads/index.ts';

/** A system that already runs. It is not one of the targets, because its processes are unknown. */
export const runningTarget = 'url';

export type Job = { readonly workload: WorkloadName; readonly target: TargetName | typeof runningTarget };

/** The measurements in their order, and those that the flags ask for and that are impossible. */
export type Plan = {
  readonly jobs: readonly Job[];
  /** A line each, which tells why. */
  readonly notMeasured: readonly string[];
};

/**
 * Plans all targets of a workload, then the next workload.
 * @throws OptionsError when nothing can be measured
 */
export function planOf({
  workloads: names,
  targets,
  urls,
  goals,
}: Pick<Options, 'workloads' | 'targets' | 'urls' | 'goals'>): Plan {
  if (goals) {
    const jobs = jobsOfGoals(names);
    if (jobs.length === 0) throw new OptionsError(`no goal is about ${names.join(' or ')}`);
    return { jobs, notMeasured: [] };
  }
  const jobs: Job[] = [];
  const notMeasured: string[] = [];
  for (const workload of names) {
    const { targets: able, notRunning } = workloads[workload];
    if (urls.length > 0) {
      if (notRunning === undefined) jobs.push({ workload, target: runningTarget });
      else notMeasured.push(`${workload} is not measured on a system that already runs: ${notRunning}`);
      continue;
    }
    for (const target of targets) {
      // Wherever ours is measured it can be traced, to be compared with it.
      if (able.includes(target === 'traced' ? 'ours' : target)) jobs.push({ workload, target });
      else
        notMeasured.push(`${workload} is not measured on ${target}: this work is for ${able.join(' and ')}`);
    }
  }
  if (jobs.length === 0) throw new OptionsError(notMeasured.join('\n'));
  return { jobs, notMeasured };
}

/**
 * The measurements of one round, every second one backwards: a machine that is slower after much work is so for each of two
 * targets in turn, and not always for the one that stands behind.
 * @param round from 1
 */
export function jobsOfRound(jobs: readonly Job[], round: number): readonly Job[] {
  return round % 2 === 1 ? jobs : [...jobs].reverse();
}
