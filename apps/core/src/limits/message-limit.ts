import type { Outcome } from '@hooligram/contract';
import { findStored } from '@hooligram/db';
import type { Context } from '../context.ts';
import { type HandlerRequest, limited } from '../requests/handler.ts';
import type { TakenOfUser } from './user-rate.ts';

type Send = HandlerRequest<'MESSAGING_SEND'>;

/**
 * Stores the messages of a batch but for those whose users have sent too many. One that is stored already is not refused: this
 * is a second run of its request, and a FAILURE would be a lie. Nor is one that its gateway has written again: what is refused
 * then stays refused for good, and its user is told to try again. A batch that fails counts nothing: it is run again.
 *
 * @param store of messages of the batch @returns one outcome a message, in order @throws what the database threw
 */
export async function storeWithinLimit(
  context: Context,
  batch: readonly Send[],
  store: (batch: readonly Send[]) => Promise<Outcome<'MESSAGING_SEND'>[]>,
): Promise<(Outcome<'MESSAGING_SEND'> | undefined)[]> {
  const { userLimits, clock } = context;
  if (!userLimits) return store(batch);
  const { messages, report } = userLimits;
  const nowMs = clock.now();
  const taken: TakenOfUser[] = [];
  const over: Send[] = [];
  for (const send of batch) {
    const one = messages.take(send.params.user_id, nowMs);
    if (one) taken.push(one);
    else if (!send.again) over.push(send);
  }
  return messages.during(taken, async () => {
    if (over.length === 0) return store(batch);
    const outcomeOf = await refusalsOf(context, over, messages.waitSeconds(nowMs));
    const refused = [...outcomeOf.keys()];
    const allowed = batch.filter((send) => !outcomeOf.has(send));
    for (const [index, outcome] of (await store(allowed)).entries()) {
      const send = allowed[index];
      if (send) outcomeOf.set(send, outcome);
    }
    for (const { params } of refused) report.add('messages', params.user_id);
    return batch.map((send) => outcomeOf.get(send));
  });
}

async function refusalsOf(
  { db }: Context,
  over: readonly Send[],
  seconds: number,
): Promise<Map<Send, Outcome<'MESSAGING_SEND'>>> {
  const stored = await findStored(
    db,
    over.map(({ request_id, params }) => ({ sender_id: params.user_id, request_id })),
  );
  const tooMany = limited('tooManyMessages', seconds);
  return new Map(over.flatMap((send, index) => (stored[index] ? [] : [[send, tooMany] as const])));
}
