import type { CoreAnswer, Outcome, RequestType } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { refusal } from '../requests/handler.ts';
import { isOfThoseWhoComeBack } from './bursts.ts';

/** An entry, as far as a reply needs it. */
export type Sender = {
  readonly id: string;
  readonly node: string;
  /** On which of several Redis it came. */
  readonly shard: number;
};

/**
 * Sends a gateway the outcome of a request, with the epoch of the database: what it knows of another epoch is void. What
 * may be large leaves behind all else.
 */
export function reply(
  { db, publisher }: Context,
  { id, node, shard }: Sender,
  { ref, type }: { readonly ref: number; readonly type?: RequestType },
  outcome: Outcome,
): void {
  const { current } = db.epoch;
  const answer = current === 0 ? { ref, ...outcome } : { ref, epoch: current, ...outcome };
  if (type && isOfThoseWhoComeBack(type)) publisher.answerBehind(node, answer, id, shard);
  else publisher.answer(node, answer, shard);
}

/** In place of an answer that cannot be sent: its request alone is refused. */
export function refusalInstead(answer: object): object {
  const { ref, epoch } = answer as CoreAnswer;
  return { ref, ...(epoch !== undefined && { epoch }), ...refusal('internalError') };
}
