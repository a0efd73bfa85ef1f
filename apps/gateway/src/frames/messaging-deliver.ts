import type { AcknowledgementHandlers } from './index.ts';

/** Most acknowledgements of one connection that wait to be looked up; beyond it they cost a duplicate. */
const lateReceiptsMax = 256;

/** Matched by the message, never by the frame's id: the mobile client answers with an id of its own. */
export const messageDelivered: AcknowledgementHandlers['MESSAGING_DELIVER_SUCCESS'] = (
  context,
  session,
  { payload: { message_id } },
) => {
  const { person } = session;
  if (!person) return context.metrics.acknowledgementIgnored();
  const receipt = context.receipts.find(message_id);
  if (!receipt) {
    if (session.lateReceipts.size === 0) queueMicrotask(() => void lookUp(context, session));
    if (session.lateReceipts.size < lateReceiptsMax) session.lateReceipts.add(message_id);
    return;
  }
  const member = receipt.group.members.get(person.userId);
  if (!member) return context.metrics.acknowledgementIgnored();
  context.metrics.acknowledged();
  if (member.acknowledge(receipt.seq)) context.cursors.changed(member);
};

/** Counted, marks nothing: the delivery stays due. */
export const messageRefused: AcknowledgementHandlers['MESSAGING_DELIVER_FAILURE'] = (
  context,
  _session,
  { id },
) => {
  context.metrics.deliveryRefused(id);
};

async function lookUp(
  context: Parameters<typeof messageDelivered>[0],
  session: Parameters<typeof messageDelivered>[1],
): Promise<void> {
  if (!session.person) return;
  const { userId } = session.person;
  const message_ids = [...session.lateReceipts];
  const reply = await context.core.ask('RECEIPT_LOOKUP', { user_id: userId, message_ids });
  session.lateReceipts.clear();
  if (!reply.ok) return;
  for (const [, groupId, seq] of reply.answer.found) {
    const member = context.groups.find(groupId)?.members.get(userId);
    if (member?.acknowledge(seq)) context.cursors.changed(member);
  }
  const ignored = message_ids.length - reply.answer.found.length;
  for (let count = 0; count < ignored; count += 1) context.metrics.acknowledgementIgnored();
}
