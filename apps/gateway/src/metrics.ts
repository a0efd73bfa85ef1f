import { type IgnoredFrame, parseDeliveryId } from '@hooligram/protocol';
import type { Metrics } from '@hooligram/service';

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

export function createGatewayMetrics(metrics: Metrics) {
  const frames = metrics.hotCounters(
    'gateway_frames_total',
    'Frames received and answered or taken, by type',
    'type',
  );
  const ignoredFrames = metrics.hotCounters(
    'gateway_frames_ignored_total',
    'Frames received and not answered: of a type that only the server sends, or of an unknown type',
    'reason',
  );
  const badFrames = metrics.counter(
    'gateway_bad_frames_total',
    'Frames refused: no JSON object, no type, a request or acknowledgement without id or payload, too large',
  );
  const slow = metrics.counter('gateway_slow_closed_total', 'Connections closed for reading too slowly');
  const passed = metrics.hotCounter(
    'gateway_messages_passed_total',
    'Messages passed on live, once a gateway',
  );
  const replayed = metrics.counter(
    'gateway_messages_replayed_total',
    'Messages sent to one connection in a replay',
  );
  const again = metrics.counter(
    'gateway_messages_sent_again_total',
    'Messages sent again because nobody acknowledged them',
  );
  const evicted = metrics.counter(
    'gateway_evicted_total',
    'Connections closed because nothing was acknowledged, however often it was sent',
  );
  const repeated = metrics.counter(
    'gateway_requests_repeated_total',
    'Requests written again for lack of an answer',
  );
  const shed = metrics.counter('gateway_requests_shed_total', 'Requests refused because too many wait');
  const refusedRequests = metrics.counter(
    'gateway_requests_refused_total',
    'Requests that Redis refused to take: full, read-only, or without the right',
  );
  const resyncs = metrics.counter(
    'gateway_resyncs_total',
    'Times that all was looked through for what was missed',
  );
  const gaps = metrics.counter(
    'gateway_gaps_fetched_total',
    'Times that a group was fetched to close a hole',
  );
  const unreadable = metrics.counter(
    'gateway_publications_unreadable_total',
    'Publications that cannot be read or handled, by the kind of their channel',
    ['channel'],
  );
  const acknowledged = metrics.hotCounter(
    'gateway_acknowledged_total',
    'Acknowledgements that matched a delivery',
  );
  const ignored = metrics.counter(
    'gateway_acknowledgements_ignored_total',
    'Acknowledgements of what was not sent to their person',
  );
  const refused = metrics.counter(
    'gateway_deliveries_refused_total',
    'Deliveries that a client answered with FAILURE',
    ['delivery'],
  );
  return {
    frame(type: string) {
      frames(type).count += 1;
    },
    frameIgnored(reason: IgnoredFrame['reason']) {
      ignoredFrames(reason).count += 1;
    },
    badFrame: () => badFrames.inc(),
    slowClosed: () => slow.inc(),
    messagePassed: () => {
      passed.count += 1;
    },
    messagesReplayed: (count: number) => replayed.inc(count),
    messagesSentAgain: (count: number) => again.inc(count),
    evicted: () => evicted.inc(),
    requestRepeated: () => repeated.inc(),
    requestsShed: (count: number) => shed.inc(count),
    requestsRefused: (count: number) => refusedRequests.inc(count),
    resynced: () => resyncs.inc(),
    gapFetched: () => gaps.inc(),
    publicationUnreadable: (channel: string) => unreadable.inc({ channel }),
    acknowledged: () => {
      acknowledged.count += 1;
    },
    acknowledgementIgnored: () => ignored.inc(),
    deliveryRefused: (id: string) => refused.inc({ delivery: parseDeliveryId(id)?.kind ?? 'unknown' }),
  };
}
