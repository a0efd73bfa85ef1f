import type { Outcome, RequestType } from '@hooligram/contract';
import type { Metrics } from '@hooligram/service';

export type CoreMetrics = ReturnType<typeof createCoreMetrics>;

export function createCoreMetrics(metrics: Metrics) {
  const requests = metrics.counter('core_requests_total', 'Requests by kind and what became of them', [
    'kind',
    'outcome',
  ]);
  const batchSize = metrics.histogram('core_batch_requests', 'Requests that one call of a handler answered', {
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    labels: ['kind'],
  });
  const batchSeconds = metrics.histogram('core_batch_seconds', 'Time that one call of a handler took', {
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    labels: ['kind'],
  });
  const failures = metrics.counter('core_batch_failures_total', 'Calls of a handler that threw', ['kind']);
  const unreadable = metrics.counter('core_entries_unreadable_total', 'Stream entries that cannot be read', [
    'fate',
  ]);
  const requestUnreadable = metrics.counter(
    'core_requests_unreadable_total',
    'Requests in stream entries that cannot be read',
  );
  const claimed = metrics.counter(
    'core_entries_claimed_total',
    'Stream entries taken over from another process',
  );
  const putAside = metrics.counter('core_requests_put_aside_total', 'Requests that could not be handled', [
    'kind',
  ]);

  return {
    startBatch(kind: RequestType, size: number): () => void {
      batchSize.observe({ kind }, size);
      return batchSeconds.startTimer({ kind });
    },
    batchFailed: (kind: RequestType) => failures.inc({ kind }),
    answered: (kind: RequestType, outcome: Outcome | 'expired' | undefined) =>
      requests.inc({ kind, outcome: nameOf(outcome) }),
    entryClaimed: () => claimed.inc(),
    requestPutAside: (kind: string) => putAside.inc({ kind }),
    entryUnreadable: (fate: 'left' | 'removed') => unreadable.inc({ fate }),
    requestUnreadable: () => requestUnreadable.inc(),
  };
}

function nameOf(outcome: Outcome | 'expired' | undefined): string {
  if (outcome === undefined) return 'unknown';
  if (outcome === 'expired') return outcome;
  return outcome.ok ? 'success' : 'failure';
}
