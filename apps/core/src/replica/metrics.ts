import type { Metrics } from '@hooligram/service';

export type ReplicaMetrics = ReturnType<typeof createReplicaMetrics>;

export function createReplicaMetrics(metrics: Metrics) {
  const outcome = ['replica', 'behind', 'cancelled', 'failed', 'unused'] as const;
  return {
    pages: metrics.counter(
      'core_replica_pages_total',
      'Pages of replays by who answered them: the replica; or the primary, because the replica was behind, cancelled the read for what it had to replay, failed, or was not in use. All are 0 without a replica',
      { outcome },
    ),
    sweepPages: metrics.counter(
      'core_replica_sweep_pages_total',
      'Pages of the sweep by who looked for their overdue members: the replica; or the primary, because the replica was further behind than what was due, cancelled the read for what it had to replay, failed, or was not in use. All are 0 without a replica',
      { outcome },
    ),
    isUsed: metrics.observed(
      'core_replica_used',
      'Whether the replica answers pages of replays and of the sweep: 1 or 0',
    ),
    lagSeconds: metrics.observed(
      'core_replica_lag_seconds',
      'How far the replica is behind the primary, as far as this core knows; 0 if it had all when it was last asked',
    ),
  };
}
