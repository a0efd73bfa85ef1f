import type { CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import type { DueRequest } from './run-batch.ts';

/** An entry in progress, and what of it is still missing. */
export type OpenEntry = {
  readonly id: string;
  /** On which of several Redis it came. */
  readonly shard: number;
  readonly node: string;
  /** By the clock by which the core goes. */
  readonly deadline: number;
  requestsOpen: number;
  areOutcomesKnown: boolean;
  /** How much had failed of what was sent to its Redis before anything of it was. */
  readonly failuresBefore: number;
  /** Gives it to other cores, if it has a request of a type that is not known here. */
  leave?: (() => void) | undefined;
};

/**
 * Requests of one type and one owner in one entry, in the order in which their gateway added them. They are handled in
 * this order, in one batch.
 */
export type Burst<K extends RequestType = RequestType> = {
  /** Whose turn it takes: a user's id; the address of a client that is not signed in; a gateway's name. */
  readonly owner: number | string;
  readonly entry: OpenEntry;
  /** Milliseconds since the epoch, by Redis's clock: no request is begun after it. */
  readonly deadline: number;
  readonly requests: CoreRequest<K>[];
  /** As how many requests it counts: a long message is as many as a kibibyte each. */
  weight: number;
  /** A run of it was cut off: whether it had its effect is not known. */
  mayBeDone: boolean;
};

/**
 * Called once per burst, with one outcome per request; undefined where the outcome is not known. `expired` if no
 * request was begun because the deadline had passed.
 */
export type OnDone<K extends RequestType> = (
  burst: Burst<K>,
  outcomes: readonly (Outcome<K> | undefined)[] | 'expired',
) => void;

const anonymousTypes: ReadonlySet<RequestType> = new Set([
  'VERIFICATION_REQUEST_CODE',
  'VERIFICATION_SUBMIT_CODE',
  'AUTHORIZATION_SIGN_IN',
]);

/** Whether requests of this type come from clients that are not signed in: anybody can send any number of them. */
export function isAnonymous(type: RequestType): boolean {
  return anonymousTypes.has(type);
}

const catchUpTypes: ReadonlySet<RequestType> = new Set<RequestType>([
  'AUTHORIZATION_SIGN_IN',
  'REPLAY_GROUPS',
  'GROUP_STATES',
  'GROUP_HEADS',
  'REPLAY_PAGE',
  'GROUP_IDS',
]);

/**
 * Whether users and gateways ask for this who come back. Thousands may come at once, and the answers may be large: all of
 * it shares a few connections to the database, so that the statements that store messages find others beside them, but
 * never more than these; and the answers leave behind all else.
 */
export function isOfThoseWhoComeBack(type: RequestType): boolean {
  return catchUpTypes.has(type);
}

/**
 * Divides the requests of an entry. The messages of a user stay together: an entry does not say which session sent a
 * request, and a session's messages keep their order. Of everything else a session has one request at a time, so each
 * is a burst of its own.
 */
export function burstsOf(entry: OpenEntry, requests: readonly CoreRequest[]): Burst[] {
  const bursts: Burst[] = [];
  const ofSenders = new Map<number, Burst>();
  for (const request of requests) {
    const sender = request.type === 'MESSAGING_SEND' ? request.params.user_id : undefined;
    const known = sender === undefined ? undefined : ofSenders.get(sender);
    if (known) {
      known.requests.push(request);
      known.weight += weightOf(request);
      continue;
    }
    const burst: Burst = {
      owner: ownerOf(entry, request),
      entry,
      deadline: entry.deadline,
      requests: [request],
      weight: weightOf(request),
      mayBeDone: false,
    };
    bursts.push(burst);
    if (sender !== undefined) ofSenders.set(sender, burst);
  }
  return bursts;
}

/** A batch is one statement and one transaction: what is in it waits for all that it stores. */
function weightOf({ type, params }: CoreRequest): number {
  return type === 'MESSAGING_SEND' ? Math.max(1, Math.ceil(params.content.length / 1_024)) : 1;
}

function ownerOf({ node }: OpenEntry, { type, params }: CoreRequest): number | string {
  if ('user_id' in params && params.user_id !== undefined) return params.user_id;
  if (type === 'GROUP_IDS' && params.user_ids.length === 1) return params.user_ids[0] as number;
  return 'address' in params ? params.address : node;
}

/** The requests themselves, with their deadline: a copy of each with one field more costs 14 times as much. */
export function dueRequests<K extends RequestType>({ requests, deadline }: Burst<K>): DueRequest<K>[] {
  for (const request of requests as { deadline?: number }[]) request.deadline = deadline;
  return requests as DueRequest<K>[];
}

/** Gives each burst of a batch its part of the batch's outcomes. */
export function divideOutcomes<K extends RequestType>(
  bursts: readonly Burst<K>[],
  outcomes: readonly (Outcome<K> | undefined)[],
  onDone: OnDone<K>,
): void {
  let first = 0;
  for (const burst of bursts) {
    const end = first + burst.requests.length;
    onDone(burst, outcomes.slice(first, end));
    first = end;
  }
}

/** The outcomes of a burst whose deadline has passed before it was done. */
export function unknownOrExpired({ requests, mayBeDone }: Burst): undefined[] | 'expired' {
  return mayBeDone ? requests.map(() => undefined) : 'expired';
}
