import type { GatewayContext } from '../context.ts';
import type { Session } from '../session.ts';
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
    noteLate(context, session, message_id);
    return;
  }
  const member = context.groups.find(receipt.groupId)?.members.get(person.userId);
  if (!member || receipt.seq <= member.joinedSeq) return context.metrics.acknowledgementIgnored();
  context.metrics.acknowledged();
  if (member.acknowledge(receipt.seq)) context.cursors.changed(member);
  for (const { window } of person.sessions) window.onAcknowledged();
};

/** Counted, marks nothing: the delivery stays due. */
export const messageRefused: AcknowledgementHandlers['MESSAGING_DELIVER_FAILURE'] = (
  context,
  _session,
  { id },
) => {
  context.metrics.deliveryRefused(id);
};

function noteLate(context: GatewayContext, session: Session, messageId: number): void {
  if (!session.lateReceipts) {
    session.lateReceipts = new Set();
    queueMicrotask(() => void lookUp(context, session));
  }
  if (session.lateReceipts.size < lateReceiptsMax) session.lateReceipts.add(messageId);
}

async function lookUp(context: GatewayContext, session: Session): Promise<void> {
  const message_ids = [...(session.lateReceipts ?? [])];
  session.lateReceipts = undefined;
  if (!session.person) return;
  const { userId } = session.person;
  const reply = await context.core.ask('RECEIPT_LOOKUP', { user_id: userId, message_ids });
  if (!reply.ok) return;
  for (const [, groupId, seq] of reply.answer.found) {
    const member = context.groups.find(groupId)?.members.get(userId);
    if (member?.acknowledge(seq)) context.cursors.changed(member);
  }
  const ignored = message_ids.length - reply.answer.found.length;
  for (let count = 0; count < ignored; count += 1) context.metrics.acknowledgementIgnored();
}
