import { countMembers, countStrangers, findAnswers, readCredentials } from '@hooligram/db';
import type { ErrorCode } from '@hooligram/protocol';
import type { Context } from '../context.ts';
import { type HandlerRequest, limited, refusal } from '../requests/handler.ts';
import type { UserLimits } from './user-limits.ts';

type Refusal = ReturnType<typeof refusal>;
type Counted = 'groups_created' | 'members_added' | 'strangers_added' | 'unknown_members';

const texts = {
  groups_created: 'tooManyGroups',
  members_added: 'tooManyAdded',
  strangers_added: 'tooManyAdded',
  unknown_members: 'tooManyUnknown',
} as const satisfies Record<Counted, ErrorCode>;

/** Whether a user may not create this group. @param member_sids distinct ones */
export async function groupCreateRefusal(
  { userLimits, db }: Context,
  { request_id, params: { user_id } }: HandlerRequest<'GROUP_CREATE'>,
  member_sids: readonly string[],
): Promise<Refusal | undefined> {
  if (!userLimits) return undefined;
  const { created, added, strangers, unknown, membersMax, report } = userLimits;
  // A second run gets the answer of the first one, and counts against nothing.
  const [answer] = await findAnswers(db, [{ user_id, request_id }]);
  if (answer) return undefined;
  if (member_sids.length > membersMax) {
    report.add('group_members', user_id);
    return refusal('groupFull');
  }
  const isCreated = await created.take(user_id, 1);
  if (isCreated !== undefined) return refuseUntil(userLimits, 'groups_created', user_id, isCreated);
  const isAdded = await added.take(user_id, member_sids.length - 1);
  if (isAdded !== undefined) return refuseUntil(userLimits, 'members_added', user_id, isAdded);
  const isStrange = await strangers.take(user_id, await countStrangers(db, { user_id, sids: member_sids }));
  if (isStrange !== undefined) return refuseUntil(userLimits, 'strangers_added', user_id, isStrange);
  const nobody = (await readCredentials(db, member_sids)).filter((user) => user === null).length;
  const isUnknown = await unknown.take(user_id, nobody);
  return isUnknown === undefined ? undefined : refuseUntil(userLimits, 'unknown_members', user_id, isUnknown);
}

/** Whether a user may not add this member. */
export async function groupAddMemberRefusal(
  { userLimits, db }: Context,
  { request_id, params }: HandlerRequest<'GROUP_ADD_MEMBER'>,
): Promise<Refusal | undefined> {
  if (!userLimits) return undefined;
  const { added, strangers, unknown, membersMax, report } = userLimits;
  const { user_id, group_id, member_sid } = params;
  const [answer] = await findAnswers(db, [{ user_id, request_id }]);
  if (answer) return undefined;
  const isAdded = await added.take(user_id, 1);
  if (isAdded !== undefined) return refuseUntil(userLimits, 'members_added', user_id, isAdded);
  const [user] = await readCredentials(db, [member_sid]);
  if (!user) {
    const isUnknown = await unknown.take(user_id, 1);
    return isUnknown === undefined
      ? undefined
      : refuseUntil(userLimits, 'unknown_members', user_id, isUnknown);
  }
  const isStrange = await strangers.take(user_id, await countStrangers(db, { user_id, sids: [member_sid] }));
  if (isStrange !== undefined) return refuseUntil(userLimits, 'strangers_added', user_id, isStrange);
  if ((await countMembers(db, { user_id, group_id, upTo: membersMax })) < membersMax) return undefined;
  report.add('group_members', user_id);
  return refusal('groupFull');
}

function refuseUntil({ report }: UserLimits, limit: Counted, userId: number, seconds: number): Refusal {
  report.add(limit, userId);
  return limited(texts[limit], seconds);
}
