/**
 * What clients did, were told and were given, in the order in which it happened. Append-only: what is written
 * is never changed but for an answer that arrives later. Times are milliseconds of this process's own clock.
 */
export type Ledger = {
  readonly connections: ConnectionRecord[];
  readonly sends: SendRecord[];
  readonly changes: ChangeRecord[];
  readonly deliveries: DeliveryRecord[];
  /** When the database lost what it had committed. */
  readonly losses: Loss[];
};

/** What was told or given in this time may be gone; what came earlier was kept, and what comes later is. */
type Loss = { readonly from: number; readonly to: number };

/** One WebSocket from its opening to its end. Its place in `Ledger.connections` is its number. */
type ConnectionRecord = {
  readonly sid: string;
  /** Of the device that opened it; a device has one connection after the other. */
  readonly device: string;
  /** When it asked to sign in: what it is given is decided after this. */
  readonly signInAt: number;
};

/** A request on its way once: the same request goes out again on the next connection. */
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

/** A message. `content` is like no other's. */
export type SendRecord = RequestRecord & {
  readonly groupId: number;
  readonly content: string;
  /** Its id is no UUID, by which the database could know it, and it was never repeated. */
  readonly isOnce: boolean;
};

/** A change of a group's members. `groupId` of a creation is known by its answer only. */
export type ChangeRecord = RequestRecord &
  (
    | { readonly kind: 'create'; readonly name: string; readonly members: readonly string[] }
    | { readonly kind: 'add'; readonly groupId: number; readonly member: string }
    | { readonly kind: 'leave'; readonly groupId: number }
  );

export type DeliveryRecord = {
  readonly connection: number;
  readonly at: number;
  readonly messageId: number;
  readonly groupId: number;
  readonly senderSid: string;
  readonly content: string;
  /** The client kept it, and acknowledged it after that. What it did not keep must come again. */
  readonly isKept: boolean;
};

export function emptyLedger(): Ledger {
  return { connections: [], sends: [], changes: [], deliveries: [], losses: [] };
}

/** Whether what a client was told or given at this moment may be gone from the database since. */
export function mayBeGone({ losses }: Ledger, at: number): boolean {
  return losses.some(({ from, to }) => at >= from && at <= to);
}

/** The answer that stands: the first SUCCESS, else the last FAILURE; undefined while it is unanswered. */
export function finalAnswer({ attempts }: { readonly attempts: readonly Attempt[] }): Answer | undefined {
  return (
    attempts.find(({ answer }) => answer?.ok)?.answer ??
    attempts.findLast(({ answer }) => answer !== undefined)?.answer
  );
}
