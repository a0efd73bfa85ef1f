import { readChangeFacts } from '@hooligram/db';
import type { ErrorCode } from '@hooligram/protocol';
import type { Context } from '../context.ts';
import { type HandlerRequest, limited, refusal } from '../requests/handler.ts';
import type { UserLimit } from './user-limit.ts';
import type { UserLimits } from './user-limits.ts';

type Refusal = ReturnType<typeof refusal>;
type Counted = 'groups_created' | 'members_added' | 'strangers_added' | 'unknown_members';

const texts = {
  groups_created: 'tooManyGroups',
  members_added: 'tooManyAdded',
  strangers_added: 'tooManyAdded',
  unknown_members: 'tooManyUnknown',
} as const satisfies Record<Counted, ErrorCode>;

/** So many points of a limit. */
type Points = { readonly name: Counted; readonly limit: UserLimit; readonly points: number };
/** Which limit has none left, and for how many seconds. */
type UsedUp = { readonly name: Counted; readonly seconds: number };

// Both take what needs no look at the database first. Who is beyond that costs one look by key, which shows whether it is a
// second run: that gets the answer of the first one, and counts against nothing.

/** Whether a user may not create this group. @param member_sids distinct ones */
export async function groupCreateRefusal(
  { userLimits, db }: Context,
  { request_id, params: { user_id } }: HandlerRequest<'GROUP_CREATE'>,
  member_sids: readonly string[],
): Promise<Refusal | undefined> {
  if (!userLimits) return undefined;
  const { created, added, strangers, unknown, membersMax, report } = userLimits;
  const request = { user_id, request_id };
  if (member_sids.length > membersMax) {
    if ((await readChangeFacts(db, { ...request, sids: [] })).isAnswered) return undefined;
    report.add('group_members', user_id);
    return refusal('groupFull');
  }
  const firstPoints: readonly Points[] = [
    ...created.map((limit) => ({ name: 'groups_created', limit, points: 1 }) as const),
    { name: 'members_added', limit: added, points: member_sids.length - 1 },
  ];
  const usedUp = await takeAll(user_id, firstPoints);
  const facts = await readChangeFacts(db, { ...request, sids: usedUp ? [] : member_sids });
  if (facts.isAnswered) {
    if (!usedUp) giveBackAll(user_id, firstPoints);
    return undefined;
  }
  const morePoints: readonly Points[] = [
    { name: 'strangers_added', limit: strangers, points: facts.strangers },
    { name: 'unknown_members', limit: unknown, points: facts.unknown },
  ];
  return refuseFor(userLimits, user_id, usedUp ?? (await takeAll(user_id, morePoints)));
}

/** Whether a user may not add this member. */
export async function groupAddMemberRefusal(
  { userLimits, db }: Context,
  { request_id, params: { user_id, group_id, member_sid } }: HandlerRequest<'GROUP_ADD_MEMBER'>,
): Promise<Refusal | undefined> {
  if (!userLimits) return undefined;
  const { added, strangers, unknown, membersMax, report } = userLimits;
  const firstPoints: readonly Points[] = [{ name: 'members_added', limit: added, points: 1 }];
  const usedUp = await takeAll(user_id, firstPoints);
  const more = usedUp ? { sids: [] } : { sids: [member_sid], group_id, membersMax };
  const facts = await readChangeFacts(db, { user_id, request_id, ...more });
  if (facts.isAnswered) {
    if (!usedUp) giveBackAll(user_id, firstPoints);
    return undefined;
  }
  const morePoints: readonly Points[] = [
    { name: 'strangers_added', limit: strangers, points: facts.strangers },
    { name: 'unknown_members', limit: unknown, points: facts.unknown },
  ];
  const refused = refuseFor(userLimits, user_id, usedUp ?? (await takeAll(user_id, morePoints)));
  if (refused || facts.unknown > 0 || facts.members < membersMax) return refused;
  report.add('group_members', user_id);
  return refusal('groupFull');
}

/** Takes the points of all of these limits, or of none. @returns the one that has new points last */
async function takeAll(userId: number, all: readonly Points[]): Promise<UsedUp | undefined> {
  const seconds = await Promise.all(all.map(({ limit, points }) => limit.take(userId, points)));
  const usedUp = all.flatMap(({ name }, index) => {
    const wait = seconds[index];
    return wait === undefined ? [] : [{ name, seconds: wait }];
  });
  if (usedUp.length > 0)
    giveBackAll(
      userId,
      all.filter((_, index) => seconds[index] === undefined),
    );
  return usedUp.sort((a, b) => b.seconds - a.seconds)[0];
}

function giveBackAll(userId: number, all: readonly Points[]): void {
  for (const { limit, points } of all) limit.giveBack(userId, points);
}

function refuseFor({ report }: UserLimits, userId: number, usedUp: UsedUp | undefined): Refusal | undefined {
  if (!usedUp) return undefined;
  report.add(usedUp.name, userId);
  return limited(texts[usedUp.name], usedUp.seconds);
}
