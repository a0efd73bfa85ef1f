import type { Membership } from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { Core } from '../core/core-client.ts';
import type { CursorWriter } from '../delivery/cursor-writer.ts';
import type { GroupFeed } from './group-feed.ts';
import type { Subscription } from './subscription.ts';
import type { UserConnection } from './user-connection.ts';

export type JoinDeps = {
  readonly core: Core;
  readonly cursorWriter: CursorWriter;
  readonly overdue: { watch(userId: number): void };
  openFeed(groupId: number): GroupFeed;
};

type Scope = 'all' | 'these';

/** How often groups are read again whose membership changes meanwhile. */
const readsMax = 5;

/**
 * Brings a connection into groups: subscribe, read, reconcile.
 *
 *     subscribe to each group's channel, and wait until Redis has confirmed it
 *     read the states and cursors from the core
 *     for each group that was read:
 *       if it is not subscribed to: subscribe, and read it again
 *       if a newer state came meanwhile, and leaves the membership open: read it again
 *       else: send the state
 *     for each group that was not read:
 *       if the newest state here names the user: read it again
 *       else: leave it, the user is no member
 *     in each group whose state was sent, go on from the cursor: go live, wait or replay
 *
 * A state is sent when it is its turn on the socket. Until then the connection is in the group as if nothing had been read:
 * what happens meanwhile is looked at in that turn.
 *
 * What was committed after the read was published after the subscription, so nothing falls between the two. What comes
 * by both ways is sent once, because the second time it is not beyond the feed's `lastSeq`.
 *
 * @param groupIds groups to subscribe to
 * @param since in the same order: what was stored after it is sent on this connection in any case
 * @param scope `all`: read all of the user's groups, also those that are not among `groupIds`
 */
export async function joinGroups(
  deps: JoinDeps,
  connection: UserConnection,
  groupIds: readonly number[],
  since: readonly number[],
  scope: Scope,
): Promise<void> {
  let joining: Subscription[] = [];
  for (const [index, id] of groupIds.entries()) {
    if (!connection.isIn(id)) joining.push(connection.subscribe(deps.openFeed(id), since[index]));
  }
  for (let reads = 0; joining.length > 0 || (scope === 'all' && reads === 0); reads += 1) {
    // Removed and added again faster than it can be read, five times over: the client starts clean.
    if (reads > readsMax) return connection.socket.end(closeReasons.outcomeUnknown);
    const memberships = await read(deps, connection, joining, reads === 0 ? scope : 'these');
    if (!memberships) return;
    joining = reconcile(deps, connection, joining, memberships, reads === readsMax);
  }
  // Behind all states: they have their turns one behind the other.
  await connection.writer.turn();
}

/** @returns undefined if the connection is over */
async function read(
  { core }: JoinDeps,
  connection: UserConnection,
  joining: readonly Subscription[],
  scope: Scope,
): Promise<Membership[] | undefined> {
  const { user } = connection;
  await Promise.all([user.listening, ...joining.map(({ feed }) => feed.listening)]);
  if (!connection.isOpen) return undefined;
  const reply = await core.request('REPLAY_GROUPS', {
    user_id: user.userId,
    group_ids: scope === 'all' ? null : joining.map(({ feed }) => feed.id),
  });
  if (!connection.isOpen) return undefined;
  if (reply.ok) return reply.answer.memberships;
  connection.socket.end(closeReasons.outcomeUnknown);
  return undefined;
}

/** @returns what has to be read again */
function reconcile(
  deps: JoinDeps,
  connection: UserConnection,
  joining: readonly Subscription[],
  memberships: readonly Membership[],
  isLastRead: boolean,
): Subscription[] {
  const { userId } = connection.user;
  const unread = new Set(joining.filter(({ isJoining }) => isJoining));
  const again: Subscription[] = [];
  for (const membership of memberships) {
    const id = membership.state.group_id;
    const subscription = connection.find(id);
    if (!subscription) {
      // Read but not subscribed to: it is newer than `groupIds`.
      const joinedSeq = membership.state.members.find(([memberId]) => memberId === userId)?.[2];
      again.push(connection.subscribe(deps.openFeed(id), joinedSeq));
    } else if (unread.delete(subscription)) {
      if (isOvertaken(subscription, membership)) again.push(subscription);
      else start(deps, subscription, membership);
    }
  }
  for (const subscription of unread) {
    // The newest state here names the user and the read did not: one of them is older, so read again.
    if (subscription.cursor && !isLastRead) again.push(subscription);
    else subscription.leave();
  }
  return again;
}

/**
 * Whether a state that is newer than the read leaves open whether the user is still a member. If it names them nothing
 * is open: the state is the one to send, what was stored since the read was published after we subscribed, and the
 * cursor holds, because a cursor of an earlier membership ends before the newest one begins.
 */
function isOvertaken({ feed, cursor }: Subscription, { state }: Membership): boolean {
  return state.version < feed.version && !cursor;
}

/** Notes how far the user has acknowledged, and sends the state when it is its turn, if the user is a member. */
function start({ cursorWriter }: JoinDeps, subscription: Subscription, membership: Membership): void {
  const { feed, connection } = subscription;
  const { state, last_seq, delivered_version, retried_version } = membership;
  // Nothing new if a newer one is here: that one is sent.
  feed.apply(state);
  feed.startAt(last_seq);
  const { cursor } = subscription;
  if (!cursor || !subscription.isJoining) return;
  cursorWriter.raise(cursor, membership);
  connection.user.onRaised(feed.id);
  subscription.start(last_seq, state.closed ? Math.max(delivered_version, retried_version) : 0);
}
