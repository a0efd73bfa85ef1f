import type { Metrics } from '@hooligram/service';

export type JobMetrics = ReturnType<typeof createJobMetrics>;

export type NudgeEnd = 'confirmed' | 'unconfirmed' | 'nobody';

export function createJobMetrics(metrics: Metrics) {
  const added = metrics.counter('core_jobs_added_total', 'Jobs that were new when they were added', [
    'queue',
  ]);
  const runs = metrics.counter('core_job_runs_total', 'Runs of jobs and how they ended', ['queue', 'end']);
  const audits = metrics.counter('core_audits_total', 'Groups told how far they are', ['by']);
  const nudges = metrics.counter('core_nudges_total', 'Attempts to deliver again and who heard of it', [
    'end',
  ]);
  const given = metrics.counter('core_states_given_up_total', 'States of groups that nobody acknowledged');
  const evictions = metrics.counter('core_evictions_total', 'People closed for acknowledging nothing');
  const deaths = metrics.counter('core_jobs_dead_total', 'Jobs that became dead letters', ['queue']);
  const dead = metrics.gauge('core_dead_letters', 'Dead letters that are kept', ['queue']);
  const unreadable = metrics.counter(
    'core_confirmations_unreadable_total',
    'Publications on the channel for confirmations that cannot be read',
  );
  const swept = metrics.counter('core_groups_swept_total', 'Groups that the sweep looked at');

  return {
    jobsAdded(queue: string, standing: readonly { isNew: boolean }[]): void {
      const count = standing.filter(({ isNew }) => isNew).length;
      if (count > 0) added.inc({ queue }, count);
    },
    jobFollows: (queue: string) => added.inc({ queue }),
    jobRan(queue: string, end: string): void {
      runs.inc({ queue, end });
      if (end === 'dead') deaths.inc({ queue });
    },
    audited: (by: 'audit' | 'sweep', count = 1) => audits.inc({ by }, count),
    nudged: (end: NudgeEnd) => nudges.inc({ end }),
    statesGivenUp: (count: number) => given.inc(count),
    evicted: () => evictions.inc(),
    deadLetters: (queue: string, count: number) => dead.set({ queue }, count),
    confirmationUnreadable: () => unreadable.inc(),
    swept: (groups: number) => swept.inc(groups),
  };
}
