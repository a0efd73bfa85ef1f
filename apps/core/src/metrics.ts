import type { Outcome, RequestType } from '@hooligram/contract';
import type { Metrics } from '@hooligram/service';

export type CoreMetrics = ReturnType<typeof createCoreMetrics>;

export function createCoreMetrics(metrics: Metrics) {
  return {
    requests: metrics.counter('core_requests_total', 'Requests by type and outcome', ['type', 'outcome']),
    batchSize: metrics.histogram('core_batch_requests', 'Requests that one call of a handler answered', {
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
      labels: ['type'],
    }),
    batchSeconds: metrics.histogram('core_batch_seconds', 'Time that one call of a handler took', {
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      labels: ['type'],
    }),
    batchFailures: metrics.counter('core_batch_failures_total', 'Calls of a handler that threw', ['type']),
    lockTimeouts: metrics.counter(
      'core_lock_timeouts_total',
      'Calls of a handler that ended because somebody else held a row for longer than LOCK_TIMEOUT_MS',
      ['type'],
    ),
    batchesSplit: metrics.counter(
      'core_batches_split_total',
      'Batches that reached STATEMENT_TIMEOUT_MS, and whose requests then ran by themselves',
      ['type'],
    ),
    requestsWaiting: metrics.gauge(
      'core_requests_waiting',
      'Requests that wait by themselves, for a locked row or because they were slow',
      ['type'],
    ),
    waitSeconds: metrics.histogram('core_wait_seconds', 'Time that a row, or a request, waited by itself', {
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
      labels: ['type'],
    }),
    ownersWaiting: metrics.gauge(
      'core_request_users',
      'Users, addresses or gateways with a request that waits or is in progress',
      ['type'],
    ),
    anonymousRefused: metrics.counter(
      'core_anonymous_requests_refused_total',
      'Requests of clients that are not signed in, refused because too many of them were waiting',
      ['type'],
    ),
    requestsUnreadable: metrics.counter(
      'core_requests_unreadable_total',
      'Requests in stream entries that cannot be read',
    ),
    requestDeadLetters: metrics.counter(
      'core_request_dead_letters_total',
      'Requests that were given up because they could not be handled',
      ['type'],
    ),
    entriesUnreadable: metrics.counter(
      'core_entries_unreadable_total',
      'Stream entries that cannot be read, by whether they were left to another core or removed',
      ['outcome'],
    ),
    entriesClaimed: metrics.counter(
      'core_entries_claimed_total',
      'Stream entries taken over from another process',
    ),
  };
}

/** @param outcome undefined if the outcome is not known */
export function countOutcome(
  { requests }: CoreMetrics,
  type: RequestType,
  outcome: Outcome | 'expired' | undefined,
): void {
  requests.inc({ type, outcome: nameOf(outcome) });
}

function nameOf(outcome: Outcome | 'expired' | undefined): string {
  if (outcome === undefined) return 'unknown';
  if (outcome === 'expired') return outcome;
  return outcome.ok ? 'success' : 'failure';
}
