import type { Membership } from '@hooligram/contract';
import type { GatewayContext } from './context.ts';
import type { Member } from './member.ts';

/** Raises a cursor to what is stored, and lets go on whoever waited for it. */
export function raiseMember(
  { cursors, people }: GatewayContext,
  member: Member,
  { delivered_seq, delivered_version, retried_version }: Membership,
): void {
  member.raiseTo(delivered_seq, delivered_version, retried_version);
  // What was acknowledged here beyond it counts from now on, and is not stored yet.
  if (member.deliveredSeq > delivered_seq || member.deliveredVersion > delivered_version) {
    cursors.changed(member);
  }
  for (const session of people.sessionsOf(member.userId)) session.window.wake();
}
