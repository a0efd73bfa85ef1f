import type { WriteFailure } from '@hooligram/bus';
import { type RequestType, requestTypes } from '@hooligram/contract';
import { closeReasons, frameTypes, isAcknowledgementType, isClientRequestType } from '@hooligram/protocol';
import {
  createConnectionMetrics,
  type HotCounter,
  type HotHistogram,
  type Metrics,
  type Observed,
} from '@hooligram/service';
import { gatewayLimits } from './limits/limit-names.ts';

/**
 * How a message came to the connection that acknowledged it: as it was published; in a replay, after a sign-in or a
 * gap of the connection; or again, because it was not acknowledged in time.
 */
const deliveryPaths = ['live', 'replay', 'retry'] as const;
export type DeliveryPath = (typeof deliveryPaths)[number];

/** `busy`: certainly not done. `unknown`: no answer in time. */
const requestOutcomes = ['success', 'failure', 'busy', 'unknown'] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];

/**
 * `failure`: a wrong number or code. `limited`: refused by a limit of a gateway or of the cores, whatever the code was. `left`:
 * the connection closed before its turn, or before the answer.
 */
const signInOutcomes = ['success', 'failure', 'limited', 'busy', 'unknown', 'left'] as const;

/** Who closed a connection: this gateway, its client with a close frame, or nobody: it broke, or was silent. */
const closers = ['gateway', 'client', 'lost'] as const;
export type Closer = (typeof closers)[number];

/** All other codes of clients count as `other`: there are thousands. */
const knownCodes = new Set([1000, 1001, 1005, 1006, ...Object.values(closeReasons).map(({ code }) => code)]);

/** Commit to acknowledgement: from a millisecond on the same machine to a phone that was off for a day. */
const deliveryBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600, 3_600, 86_400];
const requestBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const handshakeWaitBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 10];

const upgradeRefusals = [
  'line full',
  'waited',
  'address',
  'full',
  'origin',
  'headers',
  'stopping',
  'no websocket',
] as const;
export type UpgradeRefusal = (typeof upgradeRefusals)[number];

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

/** @param shards how many Redis there are */
export function createGatewayMetrics(metrics: Metrics, shards = 1) {
  const deliverySeconds = metrics.hotHistograms(
    'gateway_delivery_seconds',
    'Time from the commit of a message to the first acknowledgement of a user, by the path that it came',
    { buckets: deliveryBuckets, label: 'path', values: deliveryPaths },
  );
  const frames = metrics.hotCounters(
    'gateway_frames_total',
    'Frames received and answered or acted on, by type',
    {
      type: [
        ...frameTypes.filter((type) => isClientRequestType(type) || isAcknowledgementType(type)),
        'unknown-request',
        'bad-frame',
      ],
    },
  );
  return {
    deliverySeconds: Object.fromEntries(deliveryPaths.map((path) => [path, deliverySeconds(path)])) as Record<
      DeliveryPath,
      HotHistogram
    >,
    requests: createRequestMetrics(metrics),
    redis: createConnectionMetrics(metrics, ['command', 'subscriber'], shards),
    connectionsOpened: metrics.hotCounter('gateway_connections_opened_total', 'Connections that were opened'),
    connectionsClosed: metrics.counter(
      'gateway_connections_closed_total',
      'Connections that ended, by close code and by who ended them: gateway, client, or lost (broken or silent)',
      { code: [...[...knownCodes].map(String), 'other'], by: closers },
    ),
    upgradesRefused: metrics.counter(
      'gateway_upgrades_refused_total',
      'Handshakes that were refused, by reason: too many wait (line full), one waited too long, too many of an address, or for the files of the gateway (full), a page of a foreign origin, a gateway that is stopping, no sound handshake',
      { reason: upgradeRefusals },
    ),
    handshakeWaitSeconds: metrics.histogram(
      'gateway_handshake_wait_seconds',
      'Time that handshakes waited until they were let in; not counted are those that were let in at once',
      { buckets: handshakeWaitBuckets },
    ),
    signIns: metrics.hotCounters(
      'gateway_sign_ins_total',
      'Sign-ins by outcome: failure (a wrong number or code), limited (refused by a limit, whatever the code was), busy (certainly not done), unknown (no answer in time), left (the connection closed before)',
      { outcome: signInOutcomes },
    ),
    signInSeconds: metrics.hotHistograms(
      'gateway_sign_in_seconds',
      'Time from the request to sign in until the states of all groups were sent',
      { buckets: requestBuckets },
    )(),
    frames,
    /** One of `frames`: of what comes most often by far, found once. */
    messageAcknowledgements: frames('MESSAGING_DELIVER_SUCCESS'),
    framesIgnored: metrics.hotCounters(
      'gateway_frames_ignored_total',
      'Frames received and not answered: of a type that only the server sends, of an unknown type, or acknowledgements beyond a limit',
      { reason: ['server-type', 'unknown-type', 'too-many'] },
    ),
    badFrames: metrics.counter(
      'gateway_bad_frames_total',
      'Frames refused: no JSON object, no type, a request or acknowledgement without id or payload, too large',
    ),
    slowClosed: metrics.counter(
      'gateway_slow_closed_total',
      'Connections closed for reading too slowly: beyond what a connection may leave unread, or all of them together',
      { cause: ['connection', 'gateway'] },
    ),
    forwardedIgnored: metrics.counter(
      'gateway_forwarded_ignored_total',
      'Connections that said for whom they are, by X-Forwarded-For or the PROXY protocol, and are of no trusted proxy',
    ),
    limited: metrics.counter(
      'gateway_limited_total',
      'Connections and frames that a limit refused, ignored or closed, by limit',
      { limit: gatewayLimits },
    ),
    connectionsCounted: metrics.counter(
      'gateway_user_connections_counted_total',
      'Times that all gateways of a user counted the connections of that user, by what they found',
      { outcome: ['within', 'too many'] },
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
      { cause: ['stream entries', 'stream bytes', 'connection', 'gateway'] },
    ),
    requestWritesFailed: metrics.counter(
      'gateway_request_writes_failed_total',
      'Requests whose write to Redis failed, by reason: the stream is too long (full), Redis takes no writes or not this one (refused), not connected (unsent), the connection broke before the answer, so that they may be in the stream (uncertain). Those that are unsent or uncertain are written again',
      { reason: ['full', 'refused', 'unsent', 'uncertain'] satisfies WriteFailure[] },
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
      { buffer: ['out of order', 'recent messages'] },
    ),
    publicationsUnreadable: metrics.counter(
      'gateway_publications_unreadable_total',
      'Publications that could not be read or handled, by the type of their channel',
      { channel: ['group', 'user', 'gateways', 'answers'] },
    ),
    signaturesRefused: metrics.counter(
      'gateway_signatures_refused_total',
      'Publications refused because no key of BUS_SIGNING_KEYS has signed them, by the type of their channel',
      { channel: ['group', 'user', 'gateways', 'answers'] },
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
      { delivery: ['group', 'message', 'unknown'] },
    ),
  };
}

/** What became of a connection's end. @param code as uWebSockets.js reports it */
export function countClosed({ connectionsClosed }: GatewayMetrics, code: number, by: Closer): void {
  connectionsClosed.inc({ code: knownCodes.has(code) ? String(code) : 'other', by });
}

/** Requests to the cores, by type, as this gateway sees them. */
function createRequestMetrics(metrics: Metrics) {
  const outcomes = metrics.hotCounters('gateway_core_requests_total', 'Requests to the cores by outcome', {
    type: requestTypes,
    outcome: requestOutcomes,
  });
  const seconds = metrics.hotHistograms(
    'gateway_core_request_seconds',
    'Time from a request to the cores to its outcome, repetitions included',
    { buckets: requestBuckets, label: 'type', values: requestTypes },
  );
  type OfType = { readonly seconds: HotHistogram } & Record<RequestOutcome, HotCounter>;
  const byType = new Map(
    requestTypes.map((type) => {
      const counters = requestOutcomes.map((outcome) => [outcome, outcomes(type, outcome)]);
      return [type, { seconds: seconds(type), ...Object.fromEntries(counters) } as OfType];
    }),
  );
  return {
    settled(type: RequestType, outcome: RequestOutcome, ms: number): void {
      const ofType = byType.get(type) as OfType;
      ofType[outcome].count += 1;
      ofType.seconds.observe(ms / 1_000);
    },
  };
}

type GatewayGauge =
  | 'connections'
  | 'connectionsMax'
  | 'certificateExpires'
  | 'drainLeft'
  | 'users'
  | 'groups'
  | 'requestsPending'
  | 'requestStreamBytes'
  | 'answerCreditBytes'
  | 'answerCreditWaiting'
  | 'replayPagesCharacters'
  | 'databaseEpoch';

/** What is asked for when somebody reads the metrics. */
export function createGatewayGauges({ observed }: Metrics): Record<GatewayGauge, Observed> {
  return {
    connections: observed('gateway_connections', 'Open connections'),
    connectionsMax: observed('gateway_connections_max', 'Connections that this gateway takes'),
    certificateExpires: observed(
      'gateway_certificate_expires_seconds',
      'When the certificate for new connections runs out, in seconds since 1970',
    ),
    drainLeft: observed(
      'gateway_drain_connections_left',
      'Connections that are still to be sent away: by a stop, a drain, or levelling',
    ),
    users: observed('gateway_users', 'Users signed in here'),
    groups: observed('gateway_groups', 'Groups with a connection here'),
    requestsPending: observed('gateway_requests_pending', 'Requests at the core that wait for their answer'),
    requestStreamBytes: observed(
      'gateway_request_stream_bytes',
      'Bytes of the request stream when this gateway last wrote to it',
    ),
    answerCreditBytes: observed(
      'gateway_answer_credit_bytes',
      'Bytes of pages, states and memberships that may be on their way from the cores',
    ),
    answerCreditWaiting: observed(
      'gateway_answer_credit_waiting',
      'Requests that wait until more of them may be on their way',
    ),
    replayPagesCharacters: observed(
      'gateway_replay_pages_characters',
      'Characters of large pages of replays that are kept for a moment, for other connections that need them',
    ),
    databaseEpoch: observed(
      'gateway_database_epoch',
      'Grows when the database came back with an older history',
    ),
  };
}
