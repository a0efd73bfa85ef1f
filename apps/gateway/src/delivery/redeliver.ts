import type { RedeliveryAcknowledged, RedeliveryRequest } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { Member } from '../groups/delivery-cursor.ts';
import { raiseMember } from '../groups/raise-cursors.ts';
import type { Attachment } from '../groups/subscription.ts';
import type { Person } from '../groups/users.ts';
import { isLagging, owing } from './overdue.ts';

/**
 * Answers a nudge: writes the person's cursors, confirms that, and sends again what is still owed.
 * Without a connection of theirs here it is not ours to answer.
 */
export async function onNudge(
  context: GatewayContext,
  { user_id, token, reply_to }: RedeliveryRequest,
): Promise<void> {
  if (!context.people.has(user_id)) return;
  await context.cursors.flush();
  context.tell(reply_to, { user_id, token } satisfies RedeliveryAcknowledged);
  const person = context.people.find(user_id);
  for (const { window } of person?.sessions ?? []) window.wake();
  if (person && isLagging(person)) await sendAgain(context, person);
}

/** Sends their clients away who acknowledge nothing: a new connection starts clean, and is sent it all again. */
export function onEviction({ people, metrics }: GatewayContext, userId: number): void {
  const person = people.find(userId);
  if (!person || !isLagging(person)) return;
  for (const { socket } of [...person.sessions]) {
    metrics.evicted();
    socket.end(closeReasons.notAcknowledged);
  }
}

/**
 * Reads the stored cursors first, because another gateway's connection of this person may have acknowledged what
 * this one's did not; then sends what is still owed, within one window for all groups together.
 */
async function sendAgain(context: GatewayContext, person: Person): Promise<void> {
  const group_ids = owing(person).map(({ groupId }) => groupId);
  const reply = await context.core.ask('REPLAY_GROUPS', { user_id: person.userId, group_ids });
  if (!reply.ok) return;
  for (const membership of reply.answer.memberships) {
    const group = context.groups.find(membership.state.group_id);
    group?.apply(membership.state);
    const member = group?.members.get(person.userId);
    if (member) raiseMember(context, member, membership);
  }
  let room = context.config.REPLAY_WINDOW;
  for (const member of owing(person)) {
    if (room > 0) room -= await sendGroupAgain(context, person, member, room);
  }
}

async function sendGroupAgain(
  context: GatewayContext,
  person: Person,
  member: Member,
  limit: number,
): Promise<number> {
  const { groupId: group_id } = member;
  for (const attachment of told(person, group_id)) {
    const { group, session } = attachment;
    if (!member.lags(0, group.version)) continue;
    attachment.noteState(group.version);
    session.socket.send(group.frame);
  }
  const group = context.groups.find(group_id);
  if (!group || !told(person, group_id).some(({ reached }) => member.lags(reached, 0))) return 0;
  const after_seq = member.deliveredSeq;
  const reply = await context.core.ask('REPLAY_PAGE', {
    group_id,
    after_seq,
    known_version: group.version,
    limit,
  });
  if (!reply.ok || !group.isHeld) return 0;
  if (reply.answer.state) group.apply(reply.answer.state);
  // Still a member, by the newest state, and of the same join?
  if (group.members.get(person.userId) !== member || member.joinedSeq > after_seq) return 0;
  const owed = reply.answer.messages.filter(([seq]) => !member.hasAcknowledged(seq));
  for (const attachment of told(person, group_id)) sendOwed(context, attachment, owed);
  return owed.length;
}

function sendOwed(
  context: GatewayContext,
  attachment: Attachment,
  owed: readonly (readonly [seq: number, messageId: number, frame: string])[],
): void {
  const { group, session } = attachment;
  // What was not read yet cannot be acknowledged yet.
  if (session.socket.isBehind) return;
  const again = owed.filter(([seq]) => seq <= attachment.reached);
  for (const [seq, messageId] of again) context.receipts.note(messageId, group, seq);
  context.metrics.messagesSentAgain(again.length);
  session.socket.send(...again.map(([, , frame]) => frame));
}

function told(person: Person, groupId: number): Attachment[] {
  return [...person.sessions].flatMap(({ attachments }) => {
    const attachment = attachments.get(groupId);
    return attachment?.isTold ? [attachment] : [];
  });
}
