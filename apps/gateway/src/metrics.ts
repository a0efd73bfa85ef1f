import type { Metrics } from '@hooligram/service';

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

export function createGatewayMetrics(metrics: Metrics) {
  return {
    frames: metrics.hotCounters(
      'gateway_frames_total',
      'Frames received and answered or acted on, by type',
      'type',
    ),
    framesIgnored: metrics.hotCounters(
      'gateway_frames_ignored_total',
      'Frames received and not answered: of a type that only the server sends, or of an unknown type',
      'reason',
    ),
    badFrames: metrics.counter(
      'gateway_bad_frames_total',
      'Frames refused: no JSON object, no type, a request or acknowledgement without id or payload, too large',
    ),
    slowClosed: metrics.counter(
      'gateway_slow_closed_total',
      'Connections closed for reading too slowly: beyond what a connection may leave unread, or all of them together',
      ['cause'],
    ),
    handshakesRefused: metrics.counter(
      'gateway_handshakes_refused_total',
      'Handshakes refused with 503 because too many came in a second',
    ),
    messagesPublished: metrics.hotCounter(
      'gateway_messages_published_total',
      'Messages published live, each once a gateway',
    ),
    messagesReplayed: metrics.counter(
      'gateway_messages_replayed_total',
      'Messages sent to one connection in a replay',
    ),
    messagesRedelivered: metrics.counter(
      'gateway_messages_redelivered_total',
      'Messages sent again because they were not acknowledged in time',
    ),
    evicted: metrics.counter(
      'gateway_evicted_total',
      'Connections closed because nothing was acknowledged, however often it was sent',
    ),
    sessionsEnded: metrics.counter(
      'gateway_sessions_ended_total',
      'Connections closed because their user has a newer credential, or none any more',
    ),
    requestsRepeated: metrics.counter(
      'gateway_requests_repeated_total',
      'Requests written again because no answer came',
    ),
    requestsShed: metrics.counter(
      'gateway_requests_shed_total',
      'Requests refused because too many were waiting, or too many bytes of them: in the request stream, on the connection, on this gateway',
      ['cause'],
    ),
    requestsRefused: metrics.counter(
      'gateway_requests_refused_total',
      'Requests that Redis refused: it is full, read-only, or does not permit the command',
    ),
    resyncs: metrics.counter(
      'gateway_resyncs_total',
      'Times that the gateway fetched all it may have missed, after its subscriptions broke',
    ),
    gapsFetched: metrics.counter(
      'gateway_gaps_fetched_total',
      'Times that messages were fetched to close a gap in a group',
    ),
    buffersDropped: metrics.counter(
      'gateway_buffers_dropped_total',
      'Times that the largest buffer was dropped because all of its kind had too many bytes; its messages are fetched',
      ['buffer'],
    ),
    publicationsUnreadable: metrics.counter(
      'gateway_publications_unreadable_total',
      'Publications that could not be read or handled, by the type of their channel',
      ['channel'],
    ),
    acknowledged: metrics.hotCounter(
      'gateway_acknowledged_total',
      'Acknowledgements that matched a delivery',
    ),
    acknowledgementsIgnored: metrics.counter(
      'gateway_acknowledgements_ignored_total',
      'Acknowledgements of something that was not sent to their user',
    ),
    deliveriesRefused: metrics.counter(
      'gateway_deliveries_refused_total',
      'Deliveries that a client answered with FAILURE',
      ['delivery'],
    ),
  };
}
