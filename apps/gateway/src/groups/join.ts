import type { Membership } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { Session } from '../session.ts';
import type { Group } from './group-feed.ts';
import { raiseMember } from './raise-cursors.ts';
import { continueReplay } from './replay.ts';
import type { Attachment } from './subscription.ts';

/** A read that keeps being overtaken by changes that leave it open who is a member is tried so often. */
const readsMax = 5;

/**
 * Brings a connection into groups: listen, then read, then reconcile.
 *
 * The group's channel is subscribed, and Redis has confirmed it, before the state and the cursors are read; so
 * whatever was committed after the read was published after we listened. Nothing falls between the two. What
 * both the read and the channel tell is passed once, because it is not beyond the group's position.
 *
 * @param groupIds groups to listen to
 * @param since in the same order: what was stored after it is sent on this connection in any case
 * @param scope `all`: read all of the person's groups, also those that are not among `groupIds`
 */
export async function openGroups(
  context: GatewayContext,
  session: Session,
  groupIds: readonly number[],
  since: readonly number[] = [],
  scope: 'all' | 'these' = 'these',
): Promise<void> {
  const opening: Attachment[] = [];
  for (const [index, id] of groupIds.entries()) {
    if (!session.attachments.has(id)) opening.push(session.attach(id, since[index]));
  }
  await read(context, session, opening, scope, readsMax);
}

async function read(
  context: GatewayContext,
  session: Session,
  opening: readonly Attachment[],
  scope: 'all' | 'these',
  readsLeft: number,
): Promise<void> {
  const { person } = session;
  if (!person || (scope === 'these' && opening.length === 0)) return;
  await Promise.all([person.listening, ...opening.map(({ group }) => group.listening)]);
  if (!isCurrent(session, person)) return;
  const reply = await context.core.ask('REPLAY_GROUPS', {
    user_id: person.userId,
    group_ids: scope === 'all' ? null : opening.map(({ group }) => group.id),
  });
  if (!isCurrent(session, person)) return;
  if (!reply.ok) return session.socket.end(closeReasons.outcomeUnknown);
  const again = reconcile(session, person.userId, opening, reply.answer.memberships);
  if (again.length === 0) return;
  if (readsLeft > 0) return read(context, session, again, 'these', readsLeft - 1);
  // Taken out and brought back faster than it can be read, five times over: the client starts clean.
  session.socket.end(closeReasons.outcomeUnknown);

  function reconcile(
    session: Session,
    userId: number,
    opening: readonly Attachment[],
    memberships: readonly Membership[],
  ): Attachment[] {
    const unread = new Set(opening.filter(({ phase }) => phase === 'opening'));
    const again: Attachment[] = [];
    const told: Attachment[] = [];
    for (const membership of memberships) {
      const id = membership.state.group_id;
      const attachment = session.attachments.get(id);
      if (!attachment) {
        // Read but not listened to: it is new since we were told what to listen to.
        const joined = membership.state.members.find(([memberId]) => memberId === userId)?.[2];
        again.push(session.attach(id, joined));
      } else if (unread.delete(attachment)) {
        if (isOvertaken(attachment.group, userId, membership)) again.push(attachment);
        else if (tell(context, attachment, userId, membership)) told.push(attachment);
      }
    }
    for (const attachment of unread) {
      // The newest state here names the person and the read did not: one of them is older, so read again.
      if (attachment.group.members.has(userId) && readsLeft > 0) again.push(attachment);
      else session.detach(attachment.group.id);
    }
    // All states first: the mobile client builds its list of groups from them.
    for (const attachment of told) if (attachment.phase === 'waiting') continueReplay(context, attachment);
    context.lag.watch(userId);
    return again;
  }
}

/**
 * Whether a state that is newer than the read leaves open whether the person is still a member. If it names them
 * nothing is open: the state is the one to tell, what was stored since the read was published after we listened,
 * and the cursor holds, because a cursor of an earlier joining ends before the newest one.
 */
function isOvertaken(group: Group, userId: number, { state }: Membership): boolean {
  return state.version < group.version && !group.members.has(userId);
}

/** Sends the state, and notes from where the person has not acknowledged. */
function tell(
  context: GatewayContext,
  attachment: Attachment,
  userId: number,
  membership: Membership,
): boolean {
  const { group, session } = attachment;
  const { state, last_seq, delivered_version, retried_version } = membership;
  // Nothing new if a newer one is here: that one is told.
  group.apply(state);
  group.startAt(last_seq);
  const member = group.members.get(userId);
  if (!member || attachment.phase !== 'opening') return false;
  raiseMember(context, member, membership);
  attachment.sentSeq = Math.max(
    member.joinedSeq,
    Math.min(member.deliveredSeq, attachment.since ?? last_seq),
  );
  group.enter(attachment, 'waiting');
  const isOver = state.closed && Math.max(delivered_version, retried_version) >= group.version;
  if (!isOver) {
    attachment.noteState(group.version);
    session.socket.send(group.frame);
  }
  return true;
}

function isCurrent(session: Session, person: Session['person']): boolean {
  return session.socket.isOpen && session.person === person;
}
