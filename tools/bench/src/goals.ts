import type { Job } from './plan.ts';
import type { TargetName } from './targets/index.ts';
import type { WorkloadName } from './workloads/index.ts';

/** A figure of one workload on one target. */
type Side = readonly [workload: WorkloadName, target: TargetName, figure: string];

export type Goal = {
  readonly about: string;
  readonly of: Side;
  /** The goal is for how many times as much as this it is, within one round. */
  readonly to?: Side;
} & ({ readonly most: number } | { readonly least: number });

const titles: Readonly<Record<string, string>> = {
  cpu_us: 'CPU a delivery',
  p50_ms: 'p50',
  p99_ms: 'p99',
  p99_told_ms: "the others' p99 while 10,000 members are told",
  p99_sign_in_ms: "the others' p99 while a user of 10,000 groups signs in",
};

/** What the whole is measured against, in the order of docs/performance.md. */
export const goals: readonly Goal[] = [
  ...timesOf('cold-direct', ['hot-direct', 'ours'], { cpu_us: 1.1, p50_ms: 1.2, p99_ms: 1.2 }),
  {
    about: 'jobs a message, 230 cold messages a second',
    of: ['cold-direct-230', 'ours', 'jobs_per_message'],
    most: 0.02,
  },
  {
    about: 'Redis commands a message, 230 cold messages a second',
    of: ['cold-direct-230', 'ours', 'redis_per_message'],
    most: 15,
  },
  {
    about: 'cold messages a second without a growing backlog of jobs',
    of: ['cold-limit', 'ours', 'messages_per_s'],
    least: 8_000,
  },
  ...timesOf('paced-direct', ['paced-direct', 'socketio'], { cpu_us: 0.9, p50_ms: 0.9 }),
  { about: '1,000 messages a second in 200 pairs: p99, ms', of: ['hot-direct', 'ours', 'p99_ms'], most: 10 },
  ...timesOf('direct', ['direct', 'uws-limit'], { cpu_us: 4 }),
  ...timesOf('fanout', ['fanout', 'uws-limit'], { cpu_us: 1.7 }),
  { about: 'storm: sign-ins a second', of: ['storm', 'ours', 'sign_ins_per_s'], least: 5_000 },
  {
    about: 'idle: KB of resident memory a connection in 10 groups, at rest',
    of: ['idle', 'ours', 'kilobytes'],
    most: 8,
  },
  ...timesOf('big', ['big', 'ours'], { p99_told_ms: 1.5, p99_sign_in_ms: 1.5 }, () => 'p99_ms'),
];

/** Of one workload on ours, to the same figures of another one. */
function timesOf(
  workload: WorkloadName,
  [base, target]: readonly [WorkloadName, TargetName],
  most: Readonly<Record<string, number>>,
  baseFigure = (figure: string) => figure,
): Goal[] {
  const other = target !== 'ours' ? target : base === workload ? 'quiet' : base;
  return Object.entries(most).map(([figure, times]) => ({
    about: `${workload}: ${titles[figure]}, times that of ${other}`,
    of: [workload, 'ours', figure],
    to: [base, target, baseFigure(figure)],
    most: times,
  }));
}

/** What has to be measured for all goals whose workloads are among these, each workload on all its targets. */
export function jobsOfGoals(names: readonly WorkloadName[]): Job[] {
  const sides = goals
    .flatMap(({ of, to }) => (to ? [of, to] : [of]))
    .filter(([workload]) => names.includes(workload));
  const keys = new Set(sides.map(([workload, target]) => `${workload} ${target}`));
  return names.flatMap((workload) =>
    (['ours', 'socketio', 'uws-limit'] as const)
      .filter((target) => keys.has(`${workload} ${target}`))
      .map((target) => ({ workload, target })),
  );
}
