import type { CoreAnswer, CoreRequest, Outcome, RequestType } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { refusal } from '../requests/handler.ts';
import { isOfThoseWhoComeBack } from './bursts.ts';

/** An entry, as far as a reply needs it. */
export type Sender = {
  readonly id: string;
  readonly node: string;
  /** On which of several Redis it came. */
  readonly shard: number;
  /** Milliseconds since the epoch, by Redis's clock. */
  readonly deadline: number;
};

/** So long after the deadline of an entry its refusals are still noted: the clocks of two processes differ by less. */
const refusedKeptMs = 10_000;

const forgettable: ReadonlySet<RequestType> = new Set<RequestType>([
  'MESSAGING_SEND',
  'GROUP_CREATE',
  'GROUP_ADD_MEMBER',
  'GROUP_LEAVE',
]);

/**
 * Whether a refusal of this type is forgotten: run again, the request may be done. Those of others are remembered, or change
 * nothing; a code may be sent for a request that was refused.
 */
export function isForgettable(type: RequestType): boolean {
  return forgettable.has(type);
}

/**
 * Sends a gateway the outcome of a request, with the epoch of the database: what it knows of another epoch is void. What
 * may be large leaves behind all else. A refusal that may be forgotten is noted with its entry: should that be claimed, the
 * request is not begun again.
 */
export function reply(
  { clock, db, publisher }: Context,
  { id, node, shard, deadline }: Sender,
  { ref, type, request_id }: { readonly ref: number } & Partial<Pick<CoreRequest, 'type' | 'request_id'>>,
  outcome: Outcome,
): void {
  const { current } = db.epoch;
  const answer = current === 0 ? { ref, ...outcome } : { ref, epoch: current, ...outcome };
  if (type && isOfThoseWhoComeBack(type)) publisher.answerBehind(node, answer, id, shard);
  else if (!outcome.ok && type && request_id && isForgettable(type)) {
    const keptMs = deadline - clock.now() + refusedKeptMs;
    publisher.refuse(node, answer, { entryId: id, requestId: request_id, keptMs }, shard);
  } else publisher.answer(node, answer, shard);
}

/** In place of an answer that cannot be sent: its request alone is refused. */
export function refusalInstead(answer: object): object {
  const { ref, epoch } = answer as CoreAnswer;
  return { ref, ...(epoch !== undefined && { epoch }), ...refusal('internalError') };
}
