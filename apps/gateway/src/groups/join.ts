import type { AnswerOf, Membership } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { Core } from '../core/core-client.ts';
import type { CursorWriter } from '../delivery/cursor-writer.ts';
import type { Places } from '../places.ts';
import type { GroupFeed } from './group-feed.ts';
import type { MembershipReader } from './membership-reader.ts';
import { SendCoalescer } from './send-coalescer.ts';
import type { StateReader } from './state-reader.ts';
import type { Subscription } from './subscription.ts';
import { untilListening } from './until-listening.ts';
import type { UserConnection } from './user-connection.ts';
import type { User } from './users.ts';

export type JoinDeps = {
  readonly core: Core;
  readonly cursorWriter: CursorWriter;
  readonly memberships: MembershipReader<User>;
  readonly states: StateReader;
  readonly catchUps: Pick<Places, 'enter'>;
  openFeed(groupId: number): GroupFeed;
  /** Whether a user or a group lives on a Redis that does not work now, while others do. Undefined if there is only one. */
  readonly isAway: ((id: number) => boolean) | undefined;
};

/**
 * Of a user who signs in: read behind the subscription to their channel, so from then on the gateway hears of every group
 * to which they are added, and of a new credential.
 */
type AtSignIn = { readonly groupIds: readonly number[]; readonly credentialVersion: number | undefined };

/** How often groups are read again whose membership changes meanwhile. */
const readsMax = 5;

/** Groups are joined in portions of this size: the next one is read when what this one brought was sent. */
const portionGroups = 200;

/**
 * Brings a connection into groups: subscribe, read, reconcile. For each portion of the groups:
 *
 *     subscribe to each group's channel, and wait until Redis has confirmed it
 *     read the memberships, without states, from the core
 *     for each group that was read:
 *       if this gateway holds an older state, or none, and has kept none of this version: read the state
 *       if a newer state came meanwhile, and does not name the user: read the membership again
 *       else: send the state, and go on from the cursor: go live, wait or replay
 *     for each group that was not read:
 *       if the newest state here names the user: read it again
 *       else: leave it, the user is no member
 *
 * What was committed after the read was published after the subscription, so nothing falls between the two. What comes
 * by both ways is sent once, because the second time it is not beyond the feed's `lastSeq`. No group waits for the state
 * of another.
 *
 * A state is sent when it is its turn on the socket. Until then the connection is in the group as if nothing had been read:
 * what happens meanwhile is looked at in that turn.
 *
 * Groups on a Redis that is away, or goes away meanwhile, are the last: no other one waits for them. When it is back, all
 * connections that waited for it take turns.
 *
 * @param groupIds groups to subscribe to
 * @param since in the same order: what was stored after it is sent on this connection in any case
 * @param onRead called whenever a portion was read, or has to wait for a Redis that is away; its states may still wait for
 *   their turns on the socket
 * @param onAtSignIn the user signs in: called with what the first read says of all their groups, if it does
 * @returns when the states of all were sent but of those that are away: these, which are left to `joinLate`
 */
async function joinHere(
  deps: JoinDeps,
  connection: UserConnection,
  groupIds: readonly number[],
  since: readonly (number | undefined)[],
  onRead: () => void = () => {},
  onAtSignIn?: (read: AtSignIn) => void,
): Promise<readonly Subscription[]> {
  const late: Subscription[] = [];
  let isFirst = true;
  for (let start = 0; start < groupIds.length; start += portionGroups) {
    if (!connection.isOpen) return [];
    const joining: Subscription[] = [];
    for (const [index, id] of groupIds.slice(start, start + portionGroups).entries()) {
      if (!connection.isIn(id)) joining.push(connection.subscribe(deps.openFeed(id), since[start + index]));
    }
    if (deps.isAway?.(connection.user.userId)) onRead();
    const away = await joinListening(deps, connection, joining, false, isFirst ? onAtSignIn : undefined);
    if (away.length < joining.length) isFirst = false;
    late.push(...away);
    onRead();
    await connection.writer.turn();
  }
  return late;
}

/** Resolves when the states of these were sent, however long their Redis is away. */
async function joinLate(
  deps: JoinDeps,
  connection: UserConnection,
  late: readonly Subscription[],
): Promise<void> {
  for (let left = late; left.length > 0 && connection.isOpen; ) {
    left = await joinListening(deps, connection, left, true);
    await connection.writer.turn();
  }
}

/** Brings a connection into groups, as `joinHere` says. @returns when the states of all of them were sent */
export async function joinGroups(
  deps: JoinDeps,
  connection: UserConnection,
  groupIds: readonly number[],
  since: readonly (number | undefined)[],
): Promise<void> {
  await joinLate(deps, connection, await joinHere(deps, connection, groupIds, since));
}

/**
 * Brings a connection into all groups of its user. What is to be looked at after a sign-in waits for no Redis that is away
 * but the user's own; that all states were sent is told when those that are late were, too.
 *
 * @param groupIds those that were read when the credential was checked. The read of the first portion looks for others, or
 *   a read of its own where that cannot
 */
export async function joinAllGroups(
  deps: JoinDeps,
  connection: UserConnection,
  groupIds: readonly number[],
  since: readonly number[],
  onRead?: () => void,
): Promise<void> {
  let atSignIn: AtSignIn | undefined;
  const late = await joinHere(deps, connection, groupIds, since, onRead, (read) => {
    atSignIn = read;
  });
  atSignIn ??= await readAtSignIn(deps, connection);
  if (!connection.isOpen || !atSignIn) return;
  // The credential may have been replaced between its check and the subscription.
  if (connection.isBefore(atSignIn.credentialVersion)) {
    connection.socket.end(closeReasons.credentialEnded);
    return;
  }
  const added = atSignIn.groupIds.filter((id) => !connection.isIn(id));
  // All that was stored since they were added is sent on this connection.
  const alsoLate = await joinHere(
    deps,
    connection,
    added,
    added.map(() => 0),
  );
  await joinLate(deps, connection, [...late, ...alsoLate]);
}

/** In a request of its own: for a user without groups, or with too many for the first read, and for an older core. */
async function readAtSignIn({ core }: JoinDeps, connection: UserConnection): Promise<AtSignIn | undefined> {
  await connection.user.listening;
  if (!connection.isOpen) return undefined;
  const reply = await core.request('GROUP_IDS', { user_ids: [connection.user.userId] });
  if (!connection.isOpen) return undefined;
  if (!reply.ok) {
    connection.socket.end(closeReasons.outcomeUnknown);
    return undefined;
  }
  const { group_ids, credential_versions } = reply.answer;
  return { groupIds: group_ids[0] ?? [], credentialVersion: credential_versions?.[0] };
}

/**
 * Reads and reconciles those groups that are received here.
 * @param isLast see `untilListening`
 * @returns the others, whose Redis is away
 */
async function joinListening(
  deps: JoinDeps,
  connection: UserConnection,
  groups: readonly Subscription[],
  isLast: boolean,
  onAtSignIn?: (read: AtSignIn) => void,
): Promise<readonly Subscription[]> {
  const { user } = connection;
  if (groups.length === 0) return [];
  if (!deps.isAway) {
    await Promise.all([user.listening, ...groups.map(({ feed }) => feed.listening)]);
    await readAll(deps, connection, groups, onAtSignIn);
    return [];
  }
  const hasWaited = isLast || deps.isAway(user.userId);
  const away = await untilListening(deps.isAway, connection, groups, isLast);
  const here = away.size === 0 ? groups : groups.filter((group) => !away.has(group));
  // A sign-in has left its place among those that are under way. Who gave up meanwhile does not stand before who came again.
  const isNeeded = hasWaited && here.length > 0 && connection.isOpen;
  const leavePlace = isNeeded ? await deps.catchUps.enter({}, `user ${user.userId}`) : undefined;
  try {
    await readAll(deps, connection, here, onAtSignIn);
  } finally {
    leavePlace?.();
  }
  return [...away];
}

async function readAll(
  deps: JoinDeps,
  connection: UserConnection,
  groups: readonly Subscription[],
  onAtSignIn?: (read: AtSignIn) => void,
): Promise<void> {
  let joining = groups;
  const behindReads = new SendCoalescer(connection.socket);
  for (let reads = 0; joining.length > 0; reads += 1) {
    // Removed and added again faster than it can be read, five times over: the client starts clean.
    if (reads > readsMax) return connection.socket.end(closeReasons.outcomeUnknown);
    const answer = await read(deps, connection, joining, reads === 0 && onAtSignIn !== undefined);
    if (!answer) return;
    const { memberships, all_group_ids, credential_version: credentialVersion } = answer;
    if (all_group_ids) onAtSignIn?.({ groupIds: all_group_ids, credentialVersion });
    const heads = new Map(memberships.map((membership) => [membership.group_id, membership]));
    const isLastRead = reads === readsMax;
    const isAgain = await Promise.all(
      connection.socket.together(() =>
        joining.map((one) => {
          const head = heads.get(one.feed.id);
          const settle = () => reconcile(deps, one, head, isLastRead);
          if (!head || head.version <= one.feed.version || one.feed.applyKept(head.version)) return settle();
          // Of the states that one answer brings, all for which this connection waits leave together.
          return deps.states.read(one.feed).then(() => behindReads.do(settle));
        }),
      ),
    );
    joining = joining.filter((_, index) => isAgain[index]);
  }
}

/** @returns undefined if the connection is over */
async function read(
  { memberships }: JoinDeps,
  connection: UserConnection,
  joining: readonly Subscription[],
  isSignIn: boolean,
): Promise<AnswerOf<'REPLAY_GROUPS'> | undefined> {
  if (!connection.isOpen) return undefined;
  const groupIds = joining.map(({ feed }) => feed.id);
  const reply = await memberships.read(connection, groupIds, isSignIn);
  if (!reply || !connection.isOpen) return undefined;
  if (!reply.ok) {
    connection.socket.end(closeReasons.outcomeUnknown);
    return undefined;
  }
  return reply.answer;
}

/**
 * A state as new as the head was read, if it could be.
 * @param head undefined if the user was no member when it was read @returns whether it has to be read again
 */
function reconcile(
  { cursorWriter }: JoinDeps,
  subscription: Subscription,
  head: Membership | undefined,
  isLastRead: boolean,
): boolean {
  const { feed, connection } = subscription;
  if (!subscription.isJoining) return false;
  if (!head) {
    // The newest state here names the user and the read did not: one of them is older.
    if (subscription.cursor && !isLastRead) return true;
    subscription.leave();
    return false;
  }
  if (head.version > feed.version) return true;
  if (head.version === feed.version) feed.admit(connection.user.userId, head.joined_seq);
  const { cursor } = subscription;
  // A state that is newer than the read may have taken the user out. If it names them it is the one to send, what was
  // stored since the read was published after we subscribed, and the cursor holds, because a cursor of an earlier
  // membership ends before the newest one begins.
  if (!cursor) return true;
  feed.startAt(head.last_seq);
  cursorWriter.raise(cursor, head);
  connection.user.onRaised(feed.id);
  subscription.start(head.last_seq, head.closed ? Math.max(head.delivered_version, head.retried_version) : 0);
  return false;
}
