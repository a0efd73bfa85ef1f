import { type CoreRequest, encodeMessage, type Outcome } from '@hooligram/contract';
import { findStored } from '@hooligram/db';
import type { Context } from '../context.ts';
import { deliveryFrame } from './delivery-frame.ts';
import { success } from './handler.ts';

/** Publishes and answers what an earlier run stored. */
export async function recoverMessages(
  { db, outbox, names, audits }: Context,
  requests: readonly CoreRequest[],
  outcomes: Map<CoreRequest, Outcome>,
): Promise<void> {
  const sends = requests.filter((request) => request.kind === 'MESSAGING_SEND');
  if (sends.length === 0) return;
  const stored = await findStored(
    db,
    sends.map(({ request_id, params }) => ({ sender_id: params.user_id, request_id })),
  );
  for (const [index, send] of sends.entries()) {
    const found = stored[index];
    const { sid, group_id, content } = send.params;
    if (!found || found.group_id !== group_id || found.content !== content) continue;
    const { message_id, seq, version, date_created } = found;
    const frame = deliveryFrame({ group_id, message_id, content, date_created, sender_sid: sid });
    outbox.publish(names.group(group_id), encodeMessage({ group_id, version, seq, message_id, frame }));
    audits.arm(group_id);
    outcomes.set(send, success({ message_id }));
  }
}
