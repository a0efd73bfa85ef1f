import type { Log, Metrics } from '@hooligram/service';
import type { GatewayConfig } from './config.ts';
import { FrameTurns } from './frame-turns.ts';
import { BufferBudget } from './groups/buffer-budget.ts';
import { KeptStates } from './groups/kept-states.ts';
import { HandshakeLine } from './handshake-line.ts';
import { ClientLimits } from './limits/client-limits.ts';
import { LoopWatch } from './loop-watch.ts';
import type { GatewayMetrics } from './metrics.ts';
import { OthersThere } from './others-there.ts';
import { Places } from './places.ts';
import { RequestBudget } from './request-budget.ts';
import { SocketBuffers } from './socket-buffers.ts';

/** What all connections of a gateway together may hold, each with a policy for what goes beyond. */
export type Budgets = {
  readonly handshakes: HandshakeLine;
  readonly signIns: Places;
  /** What was missed while a Redis was away, or a publication got lost: groups and connections that catch up. */
  readonly catchUps: Places;
  /** What one client may use; undefined without limits. */
  readonly clientLimits: ClientLimits | undefined;
  readonly requestBudget: RequestBudget;
  readonly frameTurns: FrameTurns;
  readonly socketBuffers: SocketBuffers;
  /** Messages that wait behind a gap. */
  readonly outOfOrder: BufferBudget;
  /** Messages that are kept for connections in replay. */
  readonly recentMessages: BufferBudget;
  /** States of groups that nobody here is in any more. */
  readonly keptStates: KeptStates;
};

export function createBudgets(config: GatewayConfig, metrics: GatewayMetrics, log: Log): Budgets {
  const { buffersDropped, handshakeWaitSeconds } = metrics;
  const loop = new LoopWatch(new OthersThere(() => metrics.messagesPublished.count));
  const lateMaxMs = config.LOOP_LATE_MAX_MS;
  return {
    handshakes: new HandshakeLine(
      {
        perSecondMax: config.HANDSHAKES_PER_SECOND_MAX,
        waitingMax: config.HANDSHAKES_WAITING_MAX,
        waitMaxMs: config.HANDSHAKE_WAIT_MAX_MS,
        lateMaxMs,
        onLetIn: (waitedMs) => handshakeWaitSeconds.observe(waitedMs / 1_000),
      },
      loop,
    ),
    clientLimits: config.LIMITS_ENABLED ? new ClientLimits(config, metrics, log) : undefined,
    signIns: new Places({ placesMax: config.SIGN_INS_MAX, lateMaxMs }, loop),
    catchUps: new Places({ placesMax: config.CATCH_UPS_MAX, lateMaxMs }, loop),
    requestBudget: new RequestBudget({
      connectionBytesMax: config.SESSION_QUEUE_BYTES_MAX,
      gatewayBytesMax: config.SESSION_QUEUES_BYTES_MAX,
    }),
    frameTurns: new FrameTurns(),
    socketBuffers: new SocketBuffers(config.SOCKET_BUFFERS_BYTES_MAX),
    outOfOrder: new BufferBudget(config.GAP_HELD_BYTES_MAX, () =>
      buffersDropped.inc({ buffer: 'out of order' }),
    ),
    recentMessages: new BufferBudget(config.RECENT_MESSAGES_BYTES_MAX, () =>
      buffersDropped.inc({ buffer: 'recent messages' }),
    ),
    keptStates: new KeptStates(config.KEPT_STATES_BYTES_MAX),
  };
}

export function observeBudgets(metrics: Metrics, budgets: Budgets): void {
  const { handshakes, signIns, catchUps, requestBudget, frameTurns, socketBuffers } = budgets;
  const { outOfOrder, recentMessages, keptStates } = budgets;
  metrics.observed(
    'gateway_frames_waiting',
    'Frames of clients that send more in a turn of the event loop than is read of one at once',
    () => frameTurns.waiting,
  );
  metrics.observed(
    'gateway_handshakes_waiting',
    'Handshakes that wait until they are let in',
    () => handshakes.waiting,
  );
  metrics.observed(
    'gateway_handshakes_per_second_allowed',
    'How many waiting handshakes a second may be let in, as busy as the gateway is',
    () => handshakes.perSecond,
  );
  metrics.observed(
    'gateway_sign_ins_allowed',
    'How many sign-ins may be under way, as busy as the gateway is',
    () => signIns.allowed,
  );
  metrics.observed('gateway_sign_ins_under_way', 'Sign-ins under way', () => signIns.underWay);
  metrics.observed(
    'gateway_sign_ins_waiting',
    'Sign-ins that wait until fewer are under way',
    () => signIns.waiting,
  );
  metrics.observed(
    'gateway_catch_ups_waiting',
    'Groups and connections that wait until they may fetch what they missed',
    () => catchUps.waiting,
  );
  metrics.observed(
    'gateway_session_queues_bytes',
    'Bytes of requests that have no answer yet, of all connections',
    () => requestBudget.bytes,
  );
  metrics.observed(
    'gateway_socket_buffers_bytes',
    'Bytes that wait for clients to read them, of all connections: in their sockets, and pages of replays without room there. Each scrape begins to look at all sockets: the next one tells what it found',
    () => {
      socketBuffers.lookAround();
      return socketBuffers.bytes;
    },
  );
  metrics.observed(
    'gateway_connections_behind',
    'Connections whose client has not read all that was sent: their number, where the bytes do not tell one from many',
    () => socketBuffers.behind,
  );
  metrics.observed(
    'gateway_out_of_order_bytes',
    'Bytes of messages that wait behind a gap, of all groups',
    () => outOfOrder.bytes,
  );
  metrics.observed(
    'gateway_recent_messages_bytes',
    'Bytes of messages that are kept for connections in replay, of all groups',
    () => recentMessages.bytes,
  );
  metrics.observed(
    'gateway_kept_states_bytes',
    'Bytes of states of groups that nobody here is in any more, kept for who comes back',
    () => keptStates.bytes,
  );
}
