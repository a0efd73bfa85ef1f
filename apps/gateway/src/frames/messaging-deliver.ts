import type { GatewayContext } from '../context.ts';
import type { Session } from '../session.ts';
import type { AcknowledgementHandlers } from './index.ts';

/** Most acknowledgements of one connection that wait to be looked up; beyond it they cost a duplicate. */
const lateReceiptsMax = 256;

export const messageDelivered: AcknowledgementHandlers['MESSAGING_DELIVER_SUCCESS'] = (
  context,
  session,
  { payload: { message_id } },
) => acknowledgeMessage(context, session, message_id);

/** Matched by the message, never by the frame's id: the mobile client answers with an id of its own. */
export function acknowledgeMessage(context: GatewayContext, session: Session, messageId: number): void {
  const { person } = session;
  if (!person) {
    context.metrics.acknowledgementIgnored();
    return;
  }
  const receipt = context.receipts.find(messageId);
  if (!receipt) {
    noteLate(context, session, messageId);
    return;
  }
  const group = receipt.group.isHeld ? receipt.group : context.groups.find(receipt.group.id);
  const member = group?.members.get(person.userId);
  if (!member || receipt.seq <= member.joinedSeq) {
    context.metrics.acknowledgementIgnored();
    return;
  }
  context.metrics.acknowledged();
  if (member.acknowledge(receipt.seq)) context.cursors.changed(member);
  if (person.sessions.size === 1) session.window.onAcknowledged();
  else for (const { window } of person.sessions) window.onAcknowledged();
}

/** Counted, marks nothing: the delivery stays due. */
export const messageRefused: AcknowledgementHandlers['MESSAGING_DELIVER_FAILURE'] = (
  context,
  _session,
  { id },
) => {
  context.metrics.deliveryRefused(id);
};

/** One look-up of a connection at a time; what comes meanwhile goes with the next, and what is too much is dropped. */
function noteLate(context: GatewayContext, session: Session, messageId: number): void {
  if (!session.lateReceipts) {
    session.lateReceipts = new Set();
    setImmediate(() => void lookUp(context, session));
  }
  if (session.lateReceipts.size < lateReceiptsMax) session.lateReceipts.add(messageId);
  else context.metrics.acknowledgementIgnored();
}

async function lookUp(context: GatewayContext, session: Session): Promise<void> {
  while (session.person && session.lateReceipts && session.lateReceipts.size > 0) {
    const message_ids = [...session.lateReceipts];
    session.lateReceipts.clear();
    const { userId } = session.person;
    const reply = await context.core.ask('MESSAGE_LOOKUP', { user_id: userId, message_ids });
    if (reply.ok) take(context, userId, message_ids.length, reply.answer.found);
  }
  session.lateReceipts = undefined;
}

function take(
  context: GatewayContext,
  userId: number,
  asked: number,
  found: readonly (readonly [messageId: number, groupId: number, seq: number])[],
): void {
  for (const [, groupId, seq] of found) {
    const member = context.groups.find(groupId)?.members.get(userId);
    if (member?.acknowledge(seq)) context.cursors.changed(member);
  }
  for (const { window } of context.people.sessionsOf(userId)) window.wake();
  for (let count = found.length; count < asked; count += 1) context.metrics.acknowledgementIgnored();
}
