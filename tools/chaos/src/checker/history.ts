/**
 * The requests of all clients, their answers, and the deliveries, in the order in which they happened. Append-only: no
 * entry changes, except that an answer, or the end of a connection by its own device, is added later. Times are milliseconds of this process's own clock.
 */
export type History = {
  readonly connections: ConnectionRecord[];
  readonly sends: SendRecord[];
  readonly changes: ChangeRecord[];
  readonly deliveries: DeliveryRecord[];
  /** The times in which the database lost its commits. */
  readonly losses: Loss[];
};

/** Answers and deliveries of this time may concern lost commits. Earlier and later commits are kept. */
type Loss = { readonly from: number; readonly to: number };

/** One WebSocket from its opening to its end. Its index in `History.connections` is its number. */
type ConnectionRecord = {
  readonly sid: string;
  /** Of the device that opened it; a device has one connection after the other. */
  readonly device: string;
  /** When it requested to sign in. The server decides later what it delivers. */
  readonly signInAt: number;
  /** When the device ended it without a close frame. */
  cutAt?: number;
};

/** One sending of a request: the same request goes out again on the next connection. */
export type Attempt = {
  readonly connection: number;
  readonly at: number;
  answer?: Answer;
};

export type Answer =
  | { readonly ok: true; readonly at: number; readonly messageId?: number; readonly groupId?: number }
  | { readonly ok: false; readonly at: number; readonly errors: readonly string[] };

type RequestRecord = {
  readonly sid: string;
  /** The UUID under which it is repeated. */
  readonly id: string;
  readonly attempts: Attempt[];
};

/** A message. No two have the same `content`. */
export type SendRecord = RequestRecord & {
  readonly groupId: number;
  readonly content: string;
  /** It was never repeated, and its id is no UUID, so that the database does not keep the id. */
  readonly isOnce: boolean;
};

/** A change of a group's members. The answer alone tells the `groupId` of a creation. */
export type ChangeRecord = RequestRecord &
  (
    | { readonly type: 'create'; readonly name: string; readonly members: readonly string[] }
    | { readonly type: 'add'; readonly groupId: number; readonly member: string }
    | { readonly type: 'leave'; readonly groupId: number }
  );

export type DeliveryRecord = {
  readonly connection: number;
  readonly at: number;
  readonly messageId: number;
  readonly groupId: number;
  readonly senderSid: string;
  readonly content: string;
  /** The client kept it and acknowledged it afterwards. Otherwise it must come again. */
  readonly isKept: boolean;
};

export function emptyHistory(): History {
  return { connections: [], sends: [], changes: [], deliveries: [], losses: [] };
}

/** Whether an answer or a delivery of this moment may concern a lost commit. */
export function mayBeGone({ losses }: History, at: number): boolean {
  return losses.some(({ from, to }) => at >= from && at <= to);
}

/** The answer that stands: the first SUCCESS, else the last FAILURE; undefined while it is unanswered. */
export function finalAnswer({ attempts }: { readonly attempts: readonly Attempt[] }): Answer | undefined {
  return (
    attempts.find(({ answer }) => answer?.ok)?.answer ??
    attempts.findLast(({ answer }) => answer !== undefined)?.answer
  );
}
