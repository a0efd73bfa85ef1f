import type { CoreRequest, Outcome } from '@hooligram/contract';
import { findStored } from '@hooligram/db';
import type { Context } from '../context.ts';
import { success } from '../requests/handler.ts';
import { publishMessages, type StoredMessage } from './messages.ts';

/** Publishes and answers what an earlier run stored. */
export async function recoverMessages(
  context: Context,
  requests: readonly CoreRequest[],
  outcomes: Map<CoreRequest, Outcome>,
): Promise<void> {
  const sends = requests.filter((request) => request.type === 'MESSAGING_SEND');
  if (sends.length === 0) return;
  const stored = await findStored(
    context.db,
    sends.map(({ request_id, params }) => ({ sender_id: params.user_id, request_id })),
  );
  const messages: StoredMessage[] = [];
  for (const [index, send] of sends.entries()) {
    const found = stored[index];
    const { sid, group_id, content } = send.params;
    if (!found || found.group_id !== group_id || found.content !== content) continue;
    const { message_id, seq, version, date_created } = found;
    const { trace } = send;
    messages.push({ group_id, version, seq, message_id, content, date_created, sender_sid: sid, trace });
    outcomes.set(send, success({ message_id }));
  }
  publishMessages(context, messages);
}
