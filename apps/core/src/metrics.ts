import { type Outcome, type RequestType, requestTypes } from '@hooligram/contract';
import { createConnectionMetrics, type HotCounter, type Metrics, type Observed } from '@hooligram/service';
import { queueNames } from './retries/metrics.ts';

/** `expired`: past its deadline, so it was not begun. `unknown`: it stays in the stream, and runs again. */
const outcomes = ['success', 'failure', 'expired', 'unknown'] as const;
const ofType = { type: requestTypes };

export type CoreMetrics = ReturnType<typeof createCoreMetrics>;

/** BullMQ's own: what its workers say, and for each queue one on which a worker waits for the next job. */
const workerConnections = ['workers', ...queueNames.map((name) => `worker ${name}`)];
const connections = ['command', 'blocking', 'queues', 'subscriber', ...workerConnections];

/**
 * @param shards how many Redis there are
 * @param codeCountries country codes to which codes are sent; none: to all
 */
export function createCoreMetrics(metrics: Metrics, shards = 1, codeCountries: readonly string[] = []) {
  return {
    redis: createConnectionMetrics(metrics, connections, shards),
    requests: createRequestCounters(metrics),
    entryAgeSeconds: metrics.hotHistograms(
      'core_entry_age_seconds',
      'How old stream entries were when this core took them',
      { buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
    )(),
    batchSize: metrics.hotHistograms('core_batch_requests', 'Requests that one call of a handler answered', {
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
      label: 'type',
    }),
    batchSeconds: metrics.hotHistograms('core_batch_seconds', 'Time that one call of a handler took', {
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      label: 'type',
    }),
    batchFailures: metrics.counter('core_batch_failures_total', 'Calls of a handler that threw', ofType),
    lockTimeouts: metrics.counter(
      'core_lock_timeouts_total',
      'Calls of a handler that ended because somebody else held a row for longer than LOCK_TIMEOUT_MS',
      ofType,
    ),
    batchesSplit: metrics.counter(
      'core_batches_split_total',
      'Batches that reached STATEMENT_TIMEOUT_MS, and whose requests then ran by themselves',
      ofType,
    ),
    requestsWaiting: metrics.gauge(
      'core_requests_waiting',
      'Requests that wait by themselves, for a locked row or because they were slow',
      ofType,
    ),
    waitSeconds: metrics.histogram('core_wait_seconds', 'Time that a row, or a request, waited by itself', {
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
      labels: ['type'],
    }),
    ownersWaiting: metrics.gauge(
      'core_request_users',
      'Users, addresses or gateways with a request that waits or is in progress',
      ofType,
    ),
    anonymousRefused: metrics.counter(
      'core_anonymous_requests_refused_total',
      'Requests of clients that are not signed in, refused because too many of them were waiting',
      { type: ['VERIFICATION_REQUEST_CODE', 'VERIFICATION_SUBMIT_CODE'] },
    ),
    requestsUnreadable: metrics.counter(
      'core_requests_unreadable_total',
      'Requests in stream entries that cannot be read',
    ),
    requestDeadLetters: metrics.counter(
      'core_request_dead_letters_total',
      'Requests that were given up, by cause: they could not be handled (handling), or are done and Redis does not take what is to be published of them (publishing)',
      { ...ofType, cause: ['handling', 'publishing'] },
    ),
    entriesUnreadable: metrics.counter(
      'core_entries_unreadable_total',
      'Stream entries that cannot be read, by whether they were left to another core or removed',
      { outcome: ['left', 'removed'] },
    ),
    signaturesRefused: metrics.counter(
      'core_signatures_refused_total',
      'Stream entries and publications refused because no key of BUS_SIGNING_KEYS has signed them',
      { what: ['entry', 'publication'] },
    ),
    statementSeconds: metrics.hotHistograms(
      'core_database_statement_seconds',
      'Time that a statement took until it was answered or failed, by its name; the wait for a connection is part of it',
      {
        buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
        label: 'statement',
      },
    ),
    statementReruns: metrics.counter(
      'core_database_reruns_total',
      'Statements that lost a race, were rolled back, and ran again',
    ),
    databaseConnects: metrics.counter(
      'core_database_connects_total',
      'Connections to Postgres that were opened',
    ),
    databaseConnected: metrics.gauge(
      'core_database_connected',
      'Whether Postgres answers in time when it is asked, each second, whatever it answers: 1 or 0',
    ),
    databaseReconnects: metrics.counter(
      'core_database_reconnects_total',
      'Times that Postgres answered again after it had not',
    ),
    // Without CODE_COUNTRY_CODES there are 215, most of which nobody ever has: three series for each would be more than all
    // other counters and gauges of a core.
    codes: metrics.hotCounters(
      'core_codes_total',
      'Codes by country code and event: requested of the provider, sent by it, converted into a credential. Those of CODE_COUNTRY_CODES are there from the start; without it those of a country appear with its first code, and are 0 when they are read for the first time',
      { country_code: codeCountries, event: ['requested', 'sent', 'converted'] },
    ),
    codesSubmitted: metrics.counter(
      'core_codes_submitted_total',
      'Codes that were submitted, by verdict: right; wrong; expired; the connection has none, or none any more; the code had too many wrong ones before (too_many); the provider did not say (unavailable); given up (failed); refused by a limit, unread (limited)',
      { verdict: ['right', 'wrong', 'expired', 'none', 'too_many', 'unavailable', 'failed', 'limited'] },
    ),
    providerCalls: metrics.counter(
      'core_code_provider_calls_total',
      'Calls of the code provider, by outcome; unavailable: no answer, or none that is understood',
      {
        call: ['send', 'check', 'report'],
        outcome: ['sent', 'refused', 'right', 'wrong', 'expired', 'tooMany', 'reported', 'unavailable'],
      },
    ),
    providerSeconds: metrics.histogram(
      'core_code_provider_seconds',
      'Time that a call of the code provider took',
      {
        buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        labels: { call: ['send', 'check', 'report'] },
      },
    ),
    entriesClaimed: metrics.counter(
      'core_entries_claimed_total',
      'Stream entries taken over from another process',
    ),
  };
}

type OutcomeName = (typeof outcomes)[number];

/** Of each type one for each outcome. */
function createRequestCounters(
  metrics: Metrics,
): ReadonlyMap<RequestType, Readonly<Record<OutcomeName, HotCounter>>> {
  const find = metrics.hotCounters('core_requests_total', 'Requests by type and outcome', {
    ...ofType,
    outcome: outcomes,
  });
  return new Map(
    requestTypes.map((type) => {
      const counters = outcomes.map((outcome) => [outcome, find(type, outcome)]);
      return [type, Object.fromEntries(counters) as Record<OutcomeName, HotCounter>];
    }),
  );
}

/** @param outcome undefined if the outcome is not known */
export function countOutcome(
  { requests }: CoreMetrics,
  type: RequestType,
  outcome: Outcome | 'expired' | undefined,
): void {
  const counter = requests.get(type)?.[nameOf(outcome)];
  if (counter) counter.count += 1;
}

function nameOf(outcome: Outcome | 'expired' | undefined): OutcomeName {
  if (outcome === undefined) return 'unknown';
  if (outcome === 'expired') return outcome;
  return outcome.ok ? 'success' : 'failure';
}

type CoreGauge = 'connections' | 'connectionsIdle' | 'statementsWaiting' | 'epoch' | 'walBytes';

/** What is asked for when somebody reads the metrics. */
export function createDatabaseGauges({ observed }: Metrics): Record<CoreGauge, Observed> {
  return {
    connections: observed('core_database_connections', 'Connections to Postgres that are open'),
    connectionsIdle: observed('core_database_connections_idle', 'Those of them that are not in use'),
    statementsWaiting: observed('core_database_waiting', 'Statements that wait for a connection'),
    epoch: observed('core_database_epoch', 'Grows when the database came back older'),
    walBytes: observed(
      'core_database_wal_bytes',
      'How long the write-ahead log of the database is, as far as this core has seen',
    ),
  };
}
