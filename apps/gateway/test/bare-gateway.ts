import type { AnswerOf, GroupState, ParamsOf, RequestType } from '@hooligram/contract';
import { createMetrics, type Log } from '@hooligram/service';
import { silentLog } from '@hooligram/testkit';
import { createBudgets } from '../src/budgets.ts';
import type { ClientSocket } from '../src/client-socket.ts';
import type { GatewayConfig } from '../src/config.ts';
import { createContext } from '../src/create-context.ts';
import { acknowledgeMessage } from '../src/delivery/acknowledge.ts';
import { createGatewayMetrics } from '../src/metrics.ts';

/** The user whose connections `gatewayWith` signs in. */
export const userId = 1;

type Request = { [K in RequestType]: { type: K; params: ParamsOf<K> } }[RequestType];

/** A gateway's groups without its sockets and stores, and a core that answers from `groups` groups with one unread message. */
export function gatewayWith(
  groups: number,
  members = 2,
  deadlineMs = 60_000,
  changed: Partial<GatewayConfig> = {},
) {
  const ids = Array.from({ length: groups }, (_, at) => at + 1);
  const requests: Request[] = [];
  let sent = 0;
  const state = (group_id: number): GroupState => ({
    group_id,
    version: 1,
    version_seq: 0,
    date_created: '2026-11-22T07:08:57.123Z',
    group_name: '',
    is_direct_message: false,
    closed: false,
    members: Array.from({ length: members }, (_, at) => [userId + at, `1.${at}`, 0] as const),
  });
  const answers: { [K in RequestType]?: (params: ParamsOf<K>) => AnswerOf<K> | Promise<AnswerOf<K>> } = {
    REPLAY_GROUPS: ({ group_ids }) => ({
      memberships: group_ids.map((group_id) => ({
        ...{ group_id, version: 1, closed: false, joined_seq: 0, last_seq: 1 },
        ...{ delivered_seq: 0, delivered_version: 0, retried_version: 0 },
      })),
    }),
    GROUP_STATES: ({ group_ids }) => ({ states: group_ids.map(state), looked: group_ids.length }),
    GROUP_IDS: ({ user_ids }) => ({ group_ids: user_ids.map(() => ids) }),
    GROUP_HEADS: ({ group_ids }) => ({ heads: group_ids.map((id) => [id, 1, 1] as const) }),
    REPLAY_PAGE: ({ group_id }) => ({
      ...{ group_id, version: 1, last_seq: 1, through_seq: 1 },
      messages: [[1, group_id, '{}']],
    }),
  };
  const request = async (type: RequestType, params: never) => {
    requests.push({ type, params } as Request);
    const answer = answers[type] as ((given: never) => never) | undefined;
    return answer ? { ok: true, answer: await answer(params) } : { ok: false, errors: [] };
  };
  const metrics = createGatewayMetrics(createMetrics({ role: 'gateway' }));
  const config = {
    REDIS_PREFIX: 'steps',
    REPLAY_WINDOW: 16,
    REPLAY_WINDOW_BYTES: 1_000_000,
    CURSOR_FLUSH_MS: 1,
    DELIVERY_ACK_DEADLINE_MS: deadlineMs,
    GAP_HELD_BYTES_MAX: 1_000_000,
    RECENT_MESSAGES_BYTES_MAX: 1_000_000,
    KEPT_STATES_BYTES_MAX: 1_000_000,
    SOCKET_BUFFERS_BYTES_MAX: 1_000_000,
    CATCH_UPS_MAX: 32,
    LOOP_LATE_MAX_MS: 5,
    ...changed,
  } as GatewayConfig;
  const context = createContext(0, {
    config,
    budgets: createBudgets(config, metrics, silentLog as unknown as Log),
    core: { within: () => ({ request }) },
    channelsOf: () => ({ acquire: async () => {}, release() {} }),
    metrics,
    log: silentLog,
    publish() {},
    send() {},
  } as unknown as Parameters<typeof createContext>[1]);
  const frames: string[] = [];
  const socket = {
    isOpen: true,
    unreadBytes: 0,
    drained: async () => {},
    hold() {},
    send: (...more: (string | Uint8Array)[]) => {
      sent += more.length;
      frames.push(...more.map(String));
    },
    together: <T>(work: () => T) => work(),
    join() {},
    leave() {},
    end() {},
  } as unknown as ClientSocket & Record<'unreadBytes' | 'drained', unknown>;
  /** Signs a connection of the user in. Resolves when everything was sent. */
  const signIn = async (acknowledge: boolean) => {
    const before = sent;
    const connection = context.users.signIn(socket, userId, '1.0');
    await context.groups.joinAll(connection, ids);
    for (let at = 0; at < groups; ) {
      await new Promise((resolve) => setImmediate(resolve));
      // Frames are states first; messages have the ids of their groups.
      for (const end = Math.min(groups, sent - before - groups); at < end && acknowledge; at += 1) {
        acknowledgeMessage(context, connection, ids[at] as number);
      }
      if (!acknowledge && sent - before >= groups) break;
    }
    return connection;
  };
  const close = () => {
    context.overdue.close();
    context.cursorWriter.close();
  };
  return { context, answers, requests, state, socket, frames, signIn, close };
}
