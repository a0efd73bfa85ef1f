import { type Metrics, redisLabel } from '@hooligram/service';

export const queueNames = ['delivery-check', 'redelivery', 'sweep'] as const;
const queue = queueNames;
/** `failed`: it is tried again. `dropped`: of a type or form that this release does not know. */
const runOutcomes = ['done', 'again', 'failed', 'dead', 'dropped'] as const;

export type JobMetrics = ReturnType<typeof createJobMetrics>;

/** @param shards how many Redis there are */
export function createJobMetrics(metrics: Metrics, shards = 1) {
  const label = redisLabel(shards);
  const emptied = metrics.counter<string>(
    'core_redis_emptied_total',
    'Times that Redis had lost the data that this core had seen there; the same on all cores',
    label.values,
  );
  return {
    onRedisEmptied: (shard: number) => emptied.inc(label.of(shard)),
    jobsAdded: metrics.counter('core_jobs_added_total', 'Jobs that were new when they were added', { queue }),
    jobRuns: metrics.counter('core_job_runs_total', 'Runs of jobs, by outcome', {
      queue,
      outcome: runOutcomes,
    }),
    jobsDead: metrics.counter('core_jobs_dead_total', 'Jobs that became dead letters', { queue }),
    deadLetters: metrics.gauge('core_dead_letters', 'Dead letters that are kept; the same on all cores', {
      queue,
    }),
    deliveryChecks: metrics.counter(
      'core_delivery_checks_total',
      'Delivery checks of groups, by a job of the group or by the sweep',
      { by: ['job', 'sweep'] },
    ),
    groupsSwept: metrics.counter('core_groups_swept_total', 'Groups that the sweep looked at'),
    redeliveryRequests: metrics.counter(
      'core_redelivery_requests_total',
      'Requests to the gateways to deliver again to a user, by reply',
      { outcome: ['acknowledged', 'unanswered', 'nobody'] },
    ),
    redeliveryAttempts: metrics.counter(
      'core_redelivery_attempts_total',
      'Attempts to deliver again that found something unacknowledged: messages, or states alone',
      { owed: ['messages', 'states'] },
    ),
    redeliveryTries: metrics.histogram(
      'core_redelivery_tries',
      'Which attempt in a row it was, at each of them: since the last one the user has acknowledged none of the messages, or not the state',
      { buckets: [1, 2, 3, 5, 8, 13, 50], labels: { owed: ['messages', 'states'] } },
    ),
    redeliveryRepliesUnreadable: metrics.counter(
      'core_redelivery_replies_unreadable_total',
      'Publications on the channel for redelivery replies that cannot be read',
    ),
    statesGivenUp: metrics.counter(
      'core_states_given_up_total',
      'States of groups that a user never acknowledged',
    ),
    evictions: metrics.counter(
      'core_evictions_total',
      'Users whose connections were closed for acknowledging nothing',
    ),
    overdueSeconds: metrics.histogram(
      'core_overdue_seconds',
      'For how long users had been overdue, at each attempt to deliver again that found something unacknowledged',
      { buckets: [5, 15, 30, 60, 120, 300, 600, 1_200, 3_600, 14_400] },
    ),
  };
}

/** @param waiting for each addition, whether its job is a new one */
export function countAdded(
  { jobsAdded }: JobMetrics,
  queue: string,
  waiting: readonly { isNew: boolean }[],
): void {
  const count = waiting.filter(({ isNew }) => isNew).length;
  if (count > 0) jobsAdded.inc({ queue }, count);
}

export function countRun({ jobRuns, jobsDead }: JobMetrics, queue: string, outcome: string): void {
  jobRuns.inc({ queue, outcome });
  if (outcome === 'dead') jobsDead.inc({ queue });
}
