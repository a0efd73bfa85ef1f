import type { GroupState, Membership, MembershipHead } from '@hooligram/contract';

/**
 * What was read of a user's membership, with the state if the core is of the release before, which leaves it in.
 * @returns undefined if that state does not name the user
 */
export function splitMembership(
  read: Membership | MembershipHead,
  userId: number,
): { readonly head: MembershipHead; readonly state?: GroupState } | undefined {
  if (!('state' in read)) return { head: read };
  const { state, ...cursor } = read;
  const member = state.members.find(([memberId]) => memberId === userId);
  if (!member) return undefined;
  const { group_id, version, closed } = state;
  return { head: { ...cursor, group_id, version, closed, joined_seq: member[2] }, state };
}
