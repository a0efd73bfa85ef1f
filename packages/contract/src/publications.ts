import { parse } from './request-shapes.ts';
import { count, listOf, object, type Shape, text, tuple, UnreadableError } from './shape.ts';
import type { GroupState, GroupVersion } from './state.ts';
import { groupState } from './state-shape.ts';

/** How far a group is, for every gateway that holds a member. */
export type DeliveryCheck = {
  readonly group_id: number;
  readonly version: number;
  readonly last_seq: number;
  /** Messages up to this were stored so long ago that they should have been acknowledged. */
  readonly due_seq: number;
  /** The same for the state: `version` if it is old enough, else 0. */
  readonly due_version: number;
};

/**
 * Asks every gateway that holds a user to write their cursors, to acknowledge that on the channel `reply_to`
 * (`RedeliveryAcknowledged` as JSON), and to send again what it holds no acknowledgement for.
 */
export type RedeliveryRequest = {
  readonly user_id: number;
  readonly token: string;
  readonly reply_to: string;
};
export type RedeliveryAcknowledged = { readonly user_id: number; readonly token: string };

/**
 * A user is in a group from `since` on. It does not carry the state: a group of thousands would have it sent to each
 * of them. A gateway that holds the user subscribes to the group and reads it.
 */
export type Joined = { readonly user_id: number; readonly group_id: number; readonly since: number };

/** Closes a user's connections with 4408: nothing was acknowledged, however often it was sent. */
export type Eviction = { readonly user_id: number };

/**
 * A user has a newer credential, or none any more: gateways close the connections that signed in with an earlier version
 * with 4401, but for the one on which the code was submitted (`connection_id`; empty if there is none).
 */
export type CredentialChanged = {
  readonly user_id: number;
  readonly version: number;
  readonly connection_id: string;
};

/**
 * Which connections of a user a gateway has, for the other gateways that hold the user: when each of them signed in, in
 * milliseconds since 1970.
 */
export type UserConnections = {
  readonly user_id: number;
  readonly gateway: string;
  readonly signed_in_at: readonly number[];
};

/** Asks every gateway that holds a user for its `UserConnections`. */
export type ConnectionsAsked = { readonly user_id: number };

/**
 * Messages that are traced, each with the `traceparent` of what published it. Published just before these messages, by
 * cores that trace; nothing but traces depends on it.
 */
export type TracedMessages = { readonly traced: readonly (readonly [message_id: number, trace: string])[] };

/**
 * What is published on `group:<id>` and `user:<id>`, by cores unless another is named, as bytes.
 *
 * Messages are one line of header, and a line for each with its ready frame, which the gateway passes on untouched:
 * `m <group_id> <version> <seq> <message_id>\n<frame>`, or for several `M`, with more ids and a line for each frame. What
 * was stored together in a group travels together: the seqs follow each other, under one version. The others are a
 * type tag, a newline and JSON: `s` a GroupState, `j` a Joined, `a` a DeliveryCheck, `n` a RedeliveryRequest, `e` an
 * Eviction, `c` a CredentialChanged, `t` TracedMessages; and of gateways to each other `u` UserConnections, `q` a
 * ConnectionsAsked. An unknown type tag is for a newer gateway and is ignored, so that gateways and cores may differ by one
 * release.
 *
 * Published at most once each, in no promised order across cores; a gateway fetches what it misses
 * (`REPLAY_PAGE`).
 */
export type Publication =
  | { type: 'messages'; messages: Messages<Uint8Array> }
  | { type: 'state'; state: GroupState }
  | { type: 'joined'; joined: Joined }
  | { type: 'delivery-check'; check: DeliveryCheck }
  | { type: 'redelivery-request'; request: RedeliveryRequest }
  | { type: 'eviction'; eviction: Eviction }
  | { type: 'credential-changed'; changed: CredentialChanged }
  | { type: 'traced-messages'; traced: TracedMessages }
  | { type: 'user-connections'; connections: UserConnections }
  | { type: 'connections-asked'; asked: ConnectionsAsked };

/** Messages of one group, stored one behind the other under one version. */
export type Messages<F extends string | Uint8Array> = {
  readonly group_id: number;
  readonly version: number;
  /** Of the first; the others' follow. */
  readonly seq: number;
  readonly message_ids: readonly number[];
  /** As many as ids. JSON has no newline outside of its texts, and inside they are escaped. */
  readonly frames: readonly F[];
};

const [newline, space, zero, nine, single, several] = [...Buffer.from('\n 09mM')] as [
  number,
  number,
  number,
  number,
  number,
  number,
];

/** Every publication whose body is JSON, by its type tag. */
const jsonByTag = {
  s: { type: 'state', field: 'state', shape: groupState },
  j: {
    type: 'joined',
    field: 'joined',
    shape: object<Joined>({ user_id: count, group_id: count, since: count }),
  },
  a: {
    type: 'delivery-check',
    field: 'check',
    shape: object<DeliveryCheck>({
      group_id: count,
      version: count,
      last_seq: count,
      due_seq: count,
      due_version: count,
    }),
  },
  n: {
    type: 'redelivery-request',
    field: 'request',
    shape: object<RedeliveryRequest>({ user_id: count, token: text, reply_to: text }),
  },
  e: { type: 'eviction', field: 'eviction', shape: object<Eviction>({ user_id: count }) },
  c: {
    type: 'credential-changed',
    field: 'changed',
    shape: object<CredentialChanged>({ user_id: count, version: count, connection_id: text }),
  },
  t: {
    type: 'traced-messages',
    field: 'traced',
    shape: object<TracedMessages>({ traced: listOf(tuple(count, text)) }),
  },
  u: {
    type: 'user-connections',
    field: 'connections',
    shape: object<UserConnections>({ user_id: count, gateway: text, signed_in_at: listOf(count) }),
  },
  q: { type: 'connections-asked', field: 'asked', shape: object<ConnectionsAsked>({ user_id: count }) },
} as const satisfies Readonly<Record<string, { type: Publication['type']; field: string; shape: Shape }>>;

export type JsonTag = keyof typeof jsonByTag;

const redeliveryAcknowledged = object<RedeliveryAcknowledged>({ user_id: count, token: text });

function jsonEncoder<T>(typeTag: JsonTag): (body: T) => string {
  return (body) => `${typeTag}\n${JSON.stringify(body)}`;
}

export const encodeState = jsonEncoder<GroupState>('s');
/** A state of more characters is not published: Redis would hold it for every gateway at the same time. */
const publishedCharactersMax = 256 * 1_024;
/** No member of a state has fewer: `[1,"1.2345",0]`. */
const memberCharactersMin = 14;
/** With more members the state of a group is too large in any case: nobody need read it to publish the change. */
export const publishedMembersMax = Math.floor(publishedCharactersMax / memberCharactersMin);

/** What is published of a group that has changed: its state, or of a very large one only how far it is. */
export function encodeChange(change: GroupState | GroupVersion): string {
  if ('members' in change && change.members.length <= publishedMembersMax) {
    const encoded = encodeState(change);
    if (encoded.length <= publishedCharactersMax) return encoded;
  }
  const { group_id, version, version_seq: last_seq } = change;
  return encodeDeliveryCheck({ group_id, version, last_seq, due_seq: 0, due_version: 0 });
}

export const encodeJoined = jsonEncoder<Joined>('j');
export const encodeDeliveryCheck = jsonEncoder<DeliveryCheck>('a');
export const encodeRedeliveryRequest = jsonEncoder<RedeliveryRequest>('n');
export const encodeEviction = jsonEncoder<Eviction>('e');
export const encodeCredentialChanged = jsonEncoder<CredentialChanged>('c');
export const encodeTracedMessages = jsonEncoder<TracedMessages>('t');
export const encodeUserConnections = jsonEncoder<UserConnections>('u');
export const encodeConnectionsAsked = jsonEncoder<ConnectionsAsked>('q');

export function encodeMessages({ group_id, version, seq, message_ids, frames }: Messages<string>): string {
  // A gateway that knows only single messages ignores the others, and fetches them.
  const typeTag = frames.length === 1 ? 'm' : 'M';
  return `${typeTag} ${group_id} ${version} ${seq} ${message_ids.join(' ')}\n${frames.join('\n')}`;
}

/**
 * @param bytes one publication; the returned frames are views of it, not copies
 * @returns undefined for what this release does not know
 * @throws UnreadableError for what no release has published
 */
export function decodePublication(bytes: Buffer): Publication | undefined {
  const end = bytes.indexOf(newline);
  if (end < 1) return undefined;
  // Most of what a gateway receives is messages, so these are read as bytes.
  if ((bytes[0] === single || bytes[0] === several) && (bytes[1] === space || end === 1)) {
    return { type: 'messages', messages: decodeMessages(bytes, end) };
  }
  const [typeTag] = bytes.toString('latin1', 0, end).split(' ');
  if (!isJsonTag(typeTag)) return undefined;
  const { type, field, shape } = jsonByTag[typeTag];
  return { type, [field]: read(shape, bytes.toString('utf8', end + 1)) } as Publication;
}

function isJsonTag(typeTag: string | undefined): typeTag is JsonTag {
  return typeTag !== undefined && Object.hasOwn(jsonByTag, typeTag);
}

/** Reads what a gateway sends to the channel that a redelivery request names. @throws UnreadableError */
export function readRedeliveryAcknowledged(bytes: Buffer): RedeliveryAcknowledged {
  return read<RedeliveryAcknowledged>(redeliveryAcknowledged, bytes.toString());
}

function read<T>(shape: Shape, json: string): T {
  const value = parse(json);
  if (!shape(value)) throw new UnreadableError('a field is missing, or of another type');
  return value as T;
}

function decodeMessages(bytes: Buffer, headEnd: number): Messages<Uint8Array> {
  const numbers = readNumbers(bytes, 2, headEnd);
  const frames: Uint8Array[] = [];
  for (let start = headEnd + 1; start > 0 && start <= bytes.length; ) {
    const next = bytes.indexOf(newline, start);
    const end = next < 0 ? bytes.length : next;
    frames.push(bytes.subarray(start, end));
    start = end + 1;
  }
  if (!numbers || numbers.length !== frames.length + 3) {
    throw new UnreadableError('messages and their header do not agree');
  }
  const [group_id, version, seq] = numbers as [number, number, number];
  return { group_id, version, seq, message_ids: numbers.slice(3), frames };
}

/** @returns counts in decimal digits with a space between two; undefined for anything else */
function readNumbers(bytes: Buffer, from: number, end: number): number[] | undefined {
  const numbers: number[] = [];
  let number = 0;
  let begin = from;
  for (let at = from; at <= end; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= zero && byte <= nine) number = number * 10 + (byte - zero);
    else {
      if ((byte !== space && at !== end) || at === begin || !Number.isSafeInteger(number)) return undefined;
      numbers.push(number);
      number = 0;
      begin = at + 1;
    }
  }
  return numbers;
}
