import type { Outcome } from '@hooligram/contract';
import { lockedGroups, messagingSend } from '@hooligram/db';
import type { Context } from '../context.ts';
import { storeWithinLimit } from '../limits/message-limit.ts';
import { publishMessages, type StoredMessage } from '../publishing/messages.ts';
import { type Handler, type HandlerRequest, refusal, refusalCodes, success } from './handler.ts';

/**
 * Stores messages, publishes them to their groups, answers with their ids. Concurrency 1: a second statement of this
 * process would only wait for the same group rows, while its batch could still grow.
 */
export const messagingSendHandler: Handler<'MESSAGING_SEND'> = {
  batchMax: 500,
  concurrency: 1,
  rowOf: ({ group_id }) => group_id,
  lockedRows: ({ db }, groupIds) => lockedGroups(db, groupIds),
  handle: (context, batch) => storeWithinLimit(context, batch, (allowed) => store(context, allowed)),
};

async function store(
  context: Context,
  batch: readonly HandlerRequest<'MESSAGING_SEND'>[],
): Promise<Outcome<'MESSAGING_SEND'>[]> {
  const endStatement = context.traces?.statement(batch);
  const outcomes = await messagingSend(
    context.db,
    batch.map(({ request_id, params }) => ({
      sender_id: params.user_id,
      request_id,
      repeatable: params.repeatable,
      group_id: params.group_id,
      content: params.content,
    })),
    context.deadlines.ofBatch(batch),
  );
  endStatement?.();
  const stored: StoredMessage[] = [];
  const answers = batch.map(({ params: { sid, group_id, content }, trace }, index) => {
    const outcome = outcomes[index];
    if (!outcome?.ok) return refusal(outcome ? refusalCodes[outcome.reason] : 'serverBusy');
    const { message_id, seq, version, date_created } = outcome;
    stored.push({ group_id, version, seq, message_id, content, date_created, sender_sid: sid, trace });
    return success({ message_id });
  });
  publishMessages(context, stored);
  return answers;
}
