import type { CoreAnswer, CoreRequest, ParamsOf, ReplayPage, Requests, RequestType } from './requests.ts';
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
  tuple,
  UnreadableError,
} from './shape.ts';
import type { Cursor, Membership, StoredCursor } from './state.ts';
import { groupState } from './state-shape.ts';

const optionalText = optional(text);
const optionalFlag = optional(flag);

const nothing = object<Record<never, never>>({});

const cursor = object<Cursor>({
  user_id: count,
  group_id: count,
  delivered_seq: count,
  delivered_version: count,
});

const storedCursor = object<StoredCursor>({
  user_id: count,
  group_id: count,
  delivered_seq: count,
  delivered_version: count,
  retried_version: count,
});

const membership = object<Membership>({
  group_id: count,
  version: count,
  closed: flag,
  joined_seq: count,
  last_seq: count,
  delivered_seq: count,
  delivered_version: count,
  retried_version: count,
});

const page = object<ReplayPage>({
  group_id: count,
  version: count,
  last_seq: count,
  through_seq: count,
  messages: listOf(tuple(count, count, text)),
});

type Shapes = {
  [K in RequestType]: {
    params: { readonly [F in keyof Requests[K]['params']]-?: Shape };
    answer: Shape;
  };
};

const shapes: Shapes = {
  VERIFICATION_REQUEST_CODE: {
    params: { connection_id: text, address: text, country_code: text, phone_number: text },
    answer: nothing,
  },
  VERIFICATION_SUBMIT_CODE: {
    params: { connection_id: text, address: text, verification_code: text },
    answer: object<Requests['VERIFICATION_SUBMIT_CODE']['answer']>({
      token: optional(text),
      user_id: optional(count),
      credential_version: optional(count),
    }),
  },
  AUTHORIZATION_SIGN_IN: {
    params: { address: text, country_code: text, phone_number: text, verification_code: text },
    answer: object<Requests['AUTHORIZATION_SIGN_IN']['answer']>({
      user_id: count,
      sid: text,
      group_ids: listOf(count),
      delivered_seqs: optional(listOf(count)),
      credential_version: optional(count),
    }),
  },
  GROUP_CREATE: {
    params: { user_id: count, sid: text, repeatable: flag, group_name: text, member_sids: listOf(text) },
    answer: object<Requests['GROUP_CREATE']['answer']>({ group_id: count }),
  },
  GROUP_ADD_MEMBER: {
    params: { user_id: count, repeatable: flag, group_id: integer, member_sid: text },
    answer: nothing,
  },
  GROUP_LEAVE: {
    params: { user_id: count, repeatable: flag, group_id: integer, reads_state: optional(flag) },
    answer: object<Requests['GROUP_LEAVE']['answer']>({
      state: orNull(groupState),
      version: optional(count),
    }),
  },
  MESSAGING_SEND: {
    params: { user_id: count, sid: text, repeatable: flag, group_id: integer, content: text },
    answer: object<Requests['MESSAGING_SEND']['answer']>({ message_id: count }),
  },
  REPLAY_GROUPS: {
    params: { user_id: count, group_ids: listOf(count), is_sign_in: optional(flag) },
    answer: object<Requests['REPLAY_GROUPS']['answer']>({
      memberships: listOf(membership),
      all_group_ids: optional(listOf(count)),
      credential_version: optional(count),
    }),
  },
  GROUP_STATES: {
    params: { group_ids: listOf(count) },
    answer: object<Requests['GROUP_STATES']['answer']>({ states: listOf(groupState), looked: count }),
  },
  GROUP_HEADS: {
    params: { group_ids: listOf(count) },
    answer: object<Requests['GROUP_HEADS']['answer']>({ heads: listOf(tuple(count, count, count)) }),
  },
  REPLAY_PAGE: {
    params: {
      group_id: count,
      after_seq: count,
      user_id: optional(count),
      limit: optional(count),
    },
    answer: page,
  },
  MESSAGE_LOOKUP: {
    params: { user_id: count, message_ids: listOf(integer) },
    answer: object<Requests['MESSAGE_LOOKUP']['answer']>({ found: listOf(tuple(count, count, count)) }),
  },
  GROUP_IDS: {
    params: { user_ids: listOf(count) },
    answer: object<Requests['GROUP_IDS']['answer']>({
      group_ids: listOf(listOf(count)),
      credential_versions: optional(listOf(count)),
    }),
  },
  OVERDUE_REPORT: {
    params: { user_ids: listOf(count), owed: optional(listOf(tuple(count, count))) },
    answer: object<Requests['OVERDUE_REPORT']['answer']>({ cursors: optional(listOf(storedCursor)) }),
  },
  CURSOR_RAISE: { params: { epoch: optional(count), cursors: listOf(cursor) }, answer: nothing },
};

const paramsShapes = new Map(
  Object.entries(shapes).map(([type, { params }]) => [type, object<ParamsOf<RequestType>>(params as never)]),
);

/**
 * What an item of an entry is to this release.
 *
 * - `request`: one that it can handle.
 * - `unknown`: of a type that it does not know; a newer core may.
 * - `unreadable`: nothing that any release has written. `ref` if it can be answered.
 */
export type ReadRequest =
  | { readonly is: 'request'; readonly request: CoreRequest }
  | { readonly is: 'unknown'; readonly type: string; readonly ref: number }
  | { readonly is: 'unreadable'; readonly ref?: number };

export function readRequest(item: unknown): ReadRequest {
  if (typeof item !== 'object' || item === null) return { is: 'unreadable' };
  const { ref, request_id, type, params, trace, again } = item as Record<string, unknown>;
  if (!count(ref)) return { is: 'unreadable' };
  const answerable = { ref: ref as number };
  const isSound = text(type) && text(request_id) && optionalText(trace) && optionalFlag(again);
  if (!isSound) return { is: 'unreadable', ...answerable };
  const shape = paramsShapes.get(type as string);
  if (!shape) return { is: 'unknown', type: type as string, ...answerable };
  return shape(params)
    ? { is: 'request', request: item as CoreRequest }
    : { is: 'unreadable', ...answerable };
}

const outcome = anyOf(
  object<{ ref: number; epoch?: number; ok: boolean; answer: unknown }>({
    ref: count,
    epoch: optional(count),
    ok: (value) => value === true,
    answer: nothing,
  }),
  object<{ ref: number; epoch?: number; ok: boolean; errors: string[] }>({
    ref: count,
    epoch: optional(count),
    ok: (value) => value === false,
    errors: listOf(text),
  }),
);

/** Every type of request that a gateway can send. */
export const requestTypes = Object.keys(shapes) as RequestType[];

/**
 * @param bytes what was published on a gateway's own channel: answers as a JSON list
 * @param typeOf the type of the request under a `ref`; undefined for one that nobody waits for now
 * @returns those that can be read, and how many cannot. A request with an unreadable answer gets none.
 * @throws UnreadableError
 */
export function readAnswers(
  bytes: Buffer,
  typeOf: (ref: number) => RequestType | undefined,
): { answers: CoreAnswer[]; unreadable: number } {
  const items = parse(bytes.toString());
  if (!Array.isArray(items)) throw new UnreadableError('answers are no list');
  const answers = (items as CoreAnswer[]).filter((item) => {
    if (!outcome(item)) return false;
    const type = item.ok ? typeOf(item.ref) : undefined;
    return type === undefined || !item.ok || shapes[type].answer(item.answer);
  });
  return { answers, unreadable: items.length - answers.length };
}

/** @throws UnreadableError Node's own error quotes a piece of the text, which may be anything */
export function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new UnreadableError('no JSON');
  }
}
