import type { RequestError } from './errors.ts';

// The names are those of the wire, and the type checker compares them with the protocol where frames come and go.

export type Message = {
  /** Unique in the whole system; grows in the order in which the messages of a group were stored. */
  readonly message_id: number;
  readonly group_id: number;
  readonly sender_sid: string;
  /** Exactly as it was sent. */
  readonly content: string;
  /** ISO 8601 in UTC with milliseconds, by the clock of the server. */
  readonly date_created: string;
};

export type Group = {
  readonly group_id: number;
  /** May be empty for a direct message. */
  readonly group_name: string;
  /** Whether it was created for exactly two people. */
  readonly is_direct_message: boolean;
  /** All members, oneself too, sorted by code unit. */
  readonly member_sids: readonly string[];
  /** ISO 8601 in UTC with milliseconds; never changes. */
  readonly date_created: string;
};

/** What the connection is doing. */
export type ConnectionState =
  | { readonly status: 'connecting' }
  /** Open, and nobody is signed in. */
  | { readonly status: 'connected' }
  | { readonly status: 'signing-in' }
  | { readonly status: 'signed-in' }
  /** Broken; the next try begins by itself, `retryInMs` from when this state was emitted. */
  | { readonly status: 'waiting'; readonly code: number; readonly reason: string; readonly retryInMs: number }
  /** Ended by `close()`, or by a close code after which reconnecting is of no use (1008). */
  | { readonly status: 'stopped'; readonly code: number; readonly reason: string };

/** Whether the storage keeps what it is given. */
export type StorageState =
  | { readonly status: 'working' }
  /**
   * It is full, refused, gone, or does not answer. The client goes on from memory and tries again and again; what
   * is not stored by the end of the page or process is lost: the sign-in, and requests without an answer.
   */
  | { readonly status: 'failing'; readonly error: unknown };

/** What waits in the outbox, outlives connections, and is repeated with the same UUID. */
type QueuedPayloads = {
  GROUP_ADD_MEMBER_REQUEST: { readonly group_id: number; readonly member_sid: string };
  GROUP_CREATE_REQUEST: { readonly group_name: string; readonly member_sids: string[] };
  GROUP_LEAVE_REQUEST: { readonly group_id: number };
  MESSAGING_SEND_REQUEST: { readonly group_id: number; readonly content: string };
};

export type QueuedType = keyof QueuedPayloads;

/** A request that has no final answer yet. `type` tells the payload. */
export type QueuedRequest = {
  [T in QueuedType]: {
    /** The UUID with which it is sent, and sent again. */
    readonly id: string;
    readonly type: T;
    readonly payload: QueuedPayloads[T];
    /** Unix time by this machine's clock, in ms. */
    readonly createdAt: number;
  };
}[QueuedType];

/** A change of a request in the outbox, also of one that an earlier page left there. */
export type OutboxChange =
  | { readonly status: 'queued'; readonly request: QueuedRequest }
  /** `answer` holds `message_id` of a sent message, `group_id` of a created group. */
  | {
      readonly status: 'succeeded';
      readonly request: QueuedRequest;
      readonly answer: { readonly message_id?: number; readonly group_id?: number };
    }
  | { readonly status: 'failed'; readonly request: QueuedRequest; readonly error: RequestError }
  | { readonly status: 'aborted'; readonly request: QueuedRequest };

/**
 * Handlers by event. Those of `message`, `group` and `groupRemoved` may be asynchronous: the delivery is
 * acknowledged when all of them have resolved, and answered with FAILURE when one throws, so that it comes again,
 * to all of them.
 * Those of `outbox` may be asynchronous too: a lasting storage has a request that succeeded or failed, with its answer, until
 * all of them have ended. After a page that went before that, the request is not sent again: the next page is given the same
 * change when it has signed in. What has to be kept of a failure is kept by then.
 * What concerns one group is handled one after the other, in the order in which it came; different groups do not
 * wait for each other.
 */
export type ClientEvents = {
  /** Once for each message; again only if a handler threw. Without any handler, messages wait for one. */
  readonly message: (message: Message) => unknown;
  /** A group is new or has changed. It is the whole state: replace what you have. */
  readonly group: (group: Group) => unknown;
  /** The user is no longer in the group, or nobody else is. */
  readonly groupRemoved: (groupId: number) => unknown;
  /**
   * A sign-in succeeded and all groups of the user came: `groups` is the whole list, what the user is no
   * longer in is gone from it. Never before that, however slow the server is.
   */
  readonly groupsComplete: (groups: ReadonlyMap<number, Group>) => unknown;
  readonly state: (state: ConnectionState) => unknown;
  readonly outbox: (change: OutboxChange) => unknown;
  /** The storage fails, or works again. Without a handler, `error` tells the first. */
  readonly storage: (state: StorageState) => unknown;
  /**
   * The stored credential is not good any more: the number was verified again elsewhere, or an operator ended it. A
   * connection is closed with 4401 then (`state` says it); the client comes back once, is refused, and does not try again
   * with this credential. Requests stay in the
   * outbox until somebody signs in as this user again.
   */
  readonly signInRefused: (errors: readonly string[]) => unknown;
  /** What a handler threw, or an entry of the storage that cannot be read. */
  readonly error: (error: unknown) => unknown;
};
