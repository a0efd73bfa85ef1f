import type { StoredCursor } from '@hooligram/contract';
import type { GatewayContext } from '../context.ts';
import type { Member } from './delivery-cursor.ts';

type Context = Pick<GatewayContext, 'cursors' | 'groups' | 'people'>;

/** Raises a cursor to what is stored, and lets go on whoever waited for it. */
export function raiseMember(
  context: Context,
  member: Member,
  stored: Omit<StoredCursor, 'user_id' | 'group_id'>,
): void {
  raise(context, member, stored);
  wake(context, member.userId);
}

/** The same for many; of a group or a person that has gone meanwhile, nothing is kept. */
export function raiseMembers(context: Context, cursors: readonly StoredCursor[]): void {
  const raised = new Set<number>();
  for (const cursor of cursors) {
    const member = context.groups.find(cursor.group_id)?.members.get(cursor.user_id);
    if (!member) continue;
    raise(context, member, cursor);
    raised.add(cursor.user_id);
  }
  for (const userId of raised) wake(context, userId);
}

function raise(
  { cursors }: Context,
  member: Member,
  { delivered_seq, delivered_version, retried_version }: Omit<StoredCursor, 'user_id' | 'group_id'>,
): void {
  member.raiseTo(delivered_seq, delivered_version, retried_version);
  // What was acknowledged here beyond it counts from now on, and is not stored yet.
  if (member.deliveredSeq > delivered_seq || member.deliveredVersion > delivered_version) {
    cursors.changed(member);
  }
}

function wake({ people }: Context, userId: number): void {
  for (const session of people.sessionsOf(userId)) session.window.wake();
}
