import { parse } from './request-shapes.ts';
import {
  anyOf,
  count,
  flag,
  integer,
  listOf,
  object,
  optional,
  orNull,
  type Shape,
  text,
  UnreadableError,
} from './shape.ts';

/** What a node says of itself. Times are ISO dates, sizes bytes. */
export type NodeStatus = {
  readonly release: string;
  readonly host: string;
  readonly pid: number;
  readonly started_at: string;
  readonly admin_port: number;
  readonly is_ready: boolean;
  /** What is not well of the checks of /readyz, each with what is wrong. */
  readonly failing: readonly string[];
  readonly rss_bytes: number;
  /** The part of its time, in percent, that its thread was busy since it was asked last. */
  readonly busy_percent: number;
  /** Fingerprints of its BUS_SIGNING_KEYS, in their order; a release before this one does not say. */
  readonly signing_keys?: readonly string[];
  /** Null for a core. */
  readonly gateway: GatewayStatus | null;
};

export type GatewayStatus = {
  readonly connections: number;
  readonly users: number;
  readonly groups: number;
  /** Requests at the cores. */
  readonly requests_pending: number;
  readonly drain: DrainStatus;
};

export type DrainStatus = {
  /**
   * - `none`: nobody is sent away
   * - `drain`: all are, and who comes, until it is stopped
   * - `shed`: some are, so that other gateways get them
   */
  readonly kind: 'none' | 'drain' | 'shed';
  /** Connections that are still to be sent away. */
  readonly left: number;
};

/** A user's connections to one gateway. */
export type Whereabouts = {
  readonly user_id: number;
  readonly connections: number;
  /** How far the gateway knows that the user has acknowledged the group; null if it does not know. */
  readonly delivered_seq: number | null;
};

/**
 * What an operator asks of nodes. Every node takes it on the channel of all nodes, and replies on the channel that the
 * call names. Nothing is stored: who is not there does not reply. A call that a node does not know, and one for another
 * role, is not replied to.
 *
 * - `STATUS`: both roles
 * - `DRAIN`: the gateway is not ready, and sends all clients away, at most `rate_max` a second (null: as configured)
 * - `DRAIN_STOP`: ends a drain or the levelling; the gateway is ready again
 * - `SHED`: so many connections, chosen by chance, are sent away
 * - `WHEREABOUTS`: which of these users are here
 * - `SESSIONS_END`: closes all connections of a user
 */
export type NodeCalls = {
  STATUS: { params: Nothing; reply: NodeStatus };
  DRAIN: { params: { readonly rate_max: number | null }; reply: DrainStatus };
  DRAIN_STOP: { params: Nothing; reply: DrainStatus };
  SHED: { params: { readonly connections: number; readonly rate_max: number | null }; reply: DrainStatus };
  WHEREABOUTS: {
    params: { readonly user_ids: readonly number[]; readonly group_id: number | null };
    reply: { readonly users: readonly Whereabouts[] };
  };
  SESSIONS_END: { params: { readonly user_id: number }; reply: { readonly closed: number } };
};
type Nothing = Readonly<Record<never, never>>;

export type NodeCallType = keyof NodeCalls;
export type NodeRole = 'gateway' | 'core';

export type NodeCall<T extends NodeCallType = NodeCallType> = {
  [K in T]: {
    readonly type: K;
    /** The only node that acts and replies; null for all. */
    readonly node: string | null;
    /** Comes back in each reply. */
    readonly token: string;
    /** The channel for replies. */
    readonly reply_to: string;
    readonly params: NodeCalls[K]['params'];
  };
}[T];

export type NodeReply<T extends NodeCallType = NodeCallType> = {
  [K in T]: {
    readonly type: K;
    readonly node: string;
    readonly role: NodeRole;
    readonly token: string;
    readonly body: NodeCalls[K]['reply'];
  };
}[T];

const nothing = object<Nothing>({});
const anything: Shape = () => true;
const drainStatus = object<DrainStatus>({
  kind: anyOf(...['none', 'drain', 'shed'].map((kind) => (value: unknown) => value === kind)),
  left: count,
});
const gatewayStatus = object<GatewayStatus>({
  connections: count,
  users: count,
  groups: count,
  requests_pending: count,
  drain: drainStatus,
});
const nodeStatus = object<NodeStatus>({
  release: text,
  host: text,
  pid: count,
  started_at: text,
  admin_port: count,
  is_ready: flag,
  failing: listOf(text),
  rss_bytes: count,
  busy_percent: integer,
  signing_keys: optional(listOf(text)),
  gateway: orNull(gatewayStatus),
});

const shapes: { readonly [T in NodeCallType]: { readonly params: Shape; readonly reply: Shape } } = {
  STATUS: { params: nothing, reply: nodeStatus },
  DRAIN: { params: object<NodeCalls['DRAIN']['params']>({ rate_max: orNull(count) }), reply: drainStatus },
  DRAIN_STOP: { params: nothing, reply: drainStatus },
  SHED: {
    params: object<NodeCalls['SHED']['params']>({ connections: count, rate_max: orNull(count) }),
    reply: drainStatus,
  },
  WHEREABOUTS: {
    params: object<NodeCalls['WHEREABOUTS']['params']>({ user_ids: listOf(count), group_id: orNull(count) }),
    reply: object<NodeCalls['WHEREABOUTS']['reply']>({
      users: listOf(
        object<Whereabouts>({ user_id: count, connections: count, delivered_seq: orNull(count) }),
      ),
    }),
  },
  SESSIONS_END: {
    params: object<NodeCalls['SESSIONS_END']['params']>({ user_id: count }),
    reply: object<NodeCalls['SESSIONS_END']['reply']>({ closed: count }),
  },
};

const call = object<NodeCall>({
  type: text,
  node: orNull(text),
  token: text,
  reply_to: text,
  params: anything,
});
const reply = object<NodeReply>({
  type: text,
  node: text,
  role: anyOf(...['gateway', 'core'].map((role) => (value: unknown) => value === role)),
  token: text,
  body: anything,
});

/**
 * Reads what came on the channel of all nodes.
 * @returns undefined for a call of a type that this release does not know
 * @throws UnreadableError for what no release has published
 */
export function readNodeCall(bytes: Buffer): NodeCall | undefined {
  return read(bytes, call, ({ type, params }: NodeCall) => [shapes[type]?.params, params]);
}

/** Reads what a node replied. @returns undefined for a type that this release does not know @throws UnreadableError */
export function readNodeReply(bytes: Buffer): NodeReply | undefined {
  return read(bytes, reply, ({ type, body }: NodeReply) => [shapes[type]?.reply, body]);
}

function read<T extends { readonly type: string }>(
  bytes: Buffer,
  envelope: Shape,
  contentOf: (message: T) => [shape: Shape | undefined, content: unknown],
): T | undefined {
  const message = parse(bytes.toString());
  if (!envelope(message)) throw new UnreadableError('a field is missing, or of another type');
  const { type } = message as T;
  if (!Object.hasOwn(shapes, type)) return undefined;
  const [shape, content] = contentOf(message as T);
  if (!shape?.(content)) throw new UnreadableError(`${type}: a field is missing, or of another type`);
  return message as T;
}

/** What a node does for each call that it knows. */
export type NodeCallHandlers = {
  readonly [T in NodeCallType]?: (
    params: NodeCalls[T]['params'],
  ) => NodeCalls[T]['reply'] | Promise<NodeCalls[T]['reply']>;
};

/**
 * Does what a call asks of this node.
 *
 * @param replyChannels how the channels of operators begin: nothing is published anywhere else
 * @returns the reply and its channel; undefined if this node has nothing to reply
 * @throws UnreadableError
 */
export async function handleNodeCall(
  bytes: Buffer,
  me: { readonly node: string; readonly role: NodeRole; readonly replyChannels: string },
  handlers: NodeCallHandlers,
): Promise<{ channel: string; reply: NodeReply } | undefined> {
  const { node, role, replyChannels } = me;
  const asked = readNodeCall(bytes);
  if (!asked || (asked.node !== null && asked.node !== node)) return undefined;
  const { type, token, reply_to } = asked;
  if (!reply_to.startsWith(replyChannels)) throw new UnreadableError('the reply goes to no operator');
  const handle = handlers[type] as ((params: unknown) => unknown) | undefined;
  if (!handle) return undefined;
  const body = (await handle(asked.params)) as NodeReply['body'];
  return { channel: reply_to, reply: { type, node, role, token, body } as NodeReply };
}
