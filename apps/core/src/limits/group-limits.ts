import { type Db, readChangeFacts } from '@hooligram/db';
import type { ErrorCode } from '@hooligram/protocol';
import type { Context } from '../context.ts';
import { type HandlerRequest, limited, refusal } from '../requests/handler.ts';
import { orGiveBack, type Taken } from './limit.ts';
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
type TakenAndRead = {
  readonly usedUp: UsedUp | undefined;
  readonly facts: Awaited<ReturnType<typeof readChangeFacts>>;
};
/** Of a change: why it is refused, or what was counted for it. */
type Permit = {
  readonly refused: Refusal | undefined;
  readonly userId: number;
  readonly taken: readonly Points[];
};

// Both take what needs no look at the database first. Who is beyond that costs one look by key, which shows whether it is a
// second run: that gets the answer of the first one, and counts against nothing. Nor does what its gateway has written again: it
// would stay refused, and its user is told to try again.

/** Whether a user may create this group. @param member_sids distinct ones */
export async function groupCreatePermit(
  { userLimits, db }: Context,
  { request_id, again, params: { user_id } }: HandlerRequest<'GROUP_CREATE'>,
  member_sids: readonly string[],
): Promise<Permit> {
  const free = { refused: undefined, userId: user_id, taken: [] };
  if (!userLimits) return free;
  const { created, added, membersMax, report } = userLimits;
  const request = { user_id, request_id };
  if (member_sids.length > membersMax) {
    if ((await readChangeFacts(db, { ...request, sids: [] })).isAnswered) return free;
    report.add('group_members', user_id);
    return { ...free, refused: refusal('groupFull') };
  }
  if (again) return free;
  const firstPoints: readonly Points[] = [
    ...created.map((limit) => ({ name: 'groups_created', limit, points: 1 }) as const),
    { name: 'members_added', limit: added, points: member_sids.length - 1 },
  ];
  const read = await takeAndRead(db, firstPoints, { ...request, sids: member_sids });
  if (read.facts.isAnswered) return free;
  return takeRest(userLimits, user_id, firstPoints, read);
}

/** Whether a user may add this member. */
export async function groupAddMemberPermit(
  { userLimits, db }: Context,
  { request_id, again, params: { user_id, group_id, member_sid } }: HandlerRequest<'GROUP_ADD_MEMBER'>,
): Promise<Permit> {
  const free = { refused: undefined, userId: user_id, taken: [] };
  if (!userLimits) return free;
  const { added, membersMax, report } = userLimits;
  const firstPoints: readonly Points[] = [{ name: 'members_added', limit: added, points: 1 }];
  const question = { user_id, request_id, sids: [member_sid], group_id, membersMax };
  const read = again
    ? { usedUp: undefined, facts: await readChangeFacts(db, question) }
    : await takeAndRead(db, firstPoints, question);
  const { facts } = read;
  if (facts.isAnswered) return free;
  const permit = again ? free : await takeRest(userLimits, user_id, firstPoints, read);
  if (permit.refused || facts.unknown > 0 || facts.members < membersMax) return permit;
  giveBackAll(user_id, permit.taken.filter(isNoLook));
  report.add('group_members', user_id);
  return { ...free, refused: refusal('groupFull') };
}

/**
 * Makes the change, if it may be made. One that fails counts nothing: it is run again.
 * @throws what the change threw
 */
export async function permitted<T>(
  { refused, userId, taken }: Permit,
  change: () => Promise<T>,
): Promise<T | Refusal> {
  return refused ?? orGiveBack(takenOf(userId, taken), change);
}

/**
 * Takes these points, and reads what else counts. A second run counts nothing, and nor does one that fails: while the database
 * is away, a request is run again and again.
 * @throws what the database threw
 */
async function takeAndRead(
  db: Db,
  points: readonly Points[],
  question: Parameters<typeof readChangeFacts>[1],
): Promise<TakenAndRead> {
  const { user_id, request_id } = question;
  const usedUp = await takeAll(user_id, points);
  const taken = usedUp ? [] : points;
  const facts = await orGiveBack(takenOf(user_id, taken), () =>
    readChangeFacts(db, usedUp ? { user_id, request_id, sids: [] } : question),
  );
  if (facts.isAnswered) giveBackAll(user_id, taken);
  return { usedUp, facts };
}

/** Takes what the database told that it needs besides, if the first points could be had. A refused change gives them back, but for looks. */
async function takeRest(
  userLimits: UserLimits,
  userId: number,
  firstPoints: readonly Points[],
  { usedUp, facts }: TakenAndRead,
): Promise<Permit> {
  const { strangers, unknown } = userLimits;
  const morePoints: readonly Points[] = [
    { name: 'strangers_added', limit: strangers, points: facts.strangers },
    { name: 'unknown_members', limit: unknown, points: facts.unknown },
  ];
  if (usedUp) return { refused: refuseFor(userLimits, userId, usedUp), userId, taken: [] };
  const more = await takeAll(userId, morePoints);
  if (!more) return { refused: undefined, userId, taken: [...firstPoints, ...morePoints] };
  giveBackAll(userId, firstPoints.filter(isNoLook));
  return { refused: refuseFor(userLimits, userId, more), userId, taken: [] };
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

/**
 * Members who were looked up count, refused or not: looking is work, and each answer tells whether a number has signed up.
 */
const isNoLook = ({ name }: Points): boolean => name !== 'members_added';

function takenOf(userId: number, all: readonly Points[]): Taken {
  return { giveBack: async () => giveBackAll(userId, all) };
}

function giveBackAll(userId: number, all: readonly Points[]): void {
  for (const { limit, points } of all) limit.giveBack(userId, points);
}

function refuseFor({ report }: UserLimits, userId: number, usedUp: UsedUp): Refusal {
  report.add(usedUp.name, userId);
  return limited(texts[usedUp.name], usedUp.seconds);
}
