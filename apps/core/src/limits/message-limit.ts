import type { Outcome } from '@hooligram/contract';
import { findStored } from '@hooligram/db';
import type { Context } from '../context.ts';
import { type HandlerRequest, limited } from '../requests/handler.ts';

type Send = HandlerRequest<'MESSAGING_SEND'>;

/**
 * Which messages of a batch are refused because their users have sent too many. One that is stored already is not: this is
 * a second run of its request, and a FAILURE would be a lie.
 *
 * @returns undefined when there is none, which costs an addition a message
 */
export async function messageRefusals(
  { userLimits, clock, db }: Context,
  batch: readonly Send[],
): Promise<ReadonlyMap<Send, Outcome<'MESSAGING_SEND'>> | undefined> {
  if (!userLimits) return undefined;
  const { messages, report } = userLimits;
  const nowMs = clock.now();
  const over = batch.filter(({ params }) => messages.isOver(params.user_id, nowMs));
  if (over.length === 0) return undefined;
  const stored = await findStored(
    db,
    over.map(({ request_id, params }) => ({ sender_id: params.user_id, request_id })),
  );
  const tooMany = limited('tooManyMessages', messages.waitSeconds(nowMs));
  const refusals = new Map<Send, Outcome<'MESSAGING_SEND'>>();
  for (const [index, send] of over.entries()) {
    if (stored[index]) continue;
    report.add('messages', send.params.user_id);
    refusals.set(send, tooMany);
  }
  return refusals;
}
