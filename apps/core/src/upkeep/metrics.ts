import type { Metrics } from '@hooligram/service';

export type UpkeepMetrics = ReturnType<typeof createUpkeepMetrics>;

export function createUpkeepMetrics(metrics: Metrics) {
  return {
    deleted: metrics.counter(
      'core_upkeep_deleted_total',
      'Rows that were deleted because their time had come: answers to changes of groups, tombstones of sends, messages',
      { what: ['answers', 'tombstones', 'messages'] },
    ),
    expired: metrics.counter(
      'core_deliveries_expired_total',
      'Deliveries that never happen: messages older than UNDELIVERED_DAYS, for each member who had not acknowledged them',
    ),
    failures: metrics.counter('core_upkeep_failures_total', 'Portions of the upkeep that failed'),
  };
}
