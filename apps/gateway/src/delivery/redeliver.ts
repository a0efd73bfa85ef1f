import type {
  Membership,
  RedeliveryAcknowledged,
  RedeliveryRequest,
  StoredMessage,
} from '@hooligram/contract';
import { closeReasons } from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { DeliveryCursor } from '../groups/delivery-cursor.ts';
import type { UserConnection } from '../groups/user-connection.ts';
import type { User } from '../groups/users.ts';

type Deps = Pick<
  GatewayContext,
  'config' | 'core' | 'users' | 'groups' | 'states' | 'cursorWriter' | 'metrics' | 'send'
>;

/** Most groups in which one request sends again. */
const groupsMax = 200;

/**
 * Writes the user's cursors, acknowledges the request, and sends again what is not acknowledged. Without a connection of
 * the user the request is not for this gateway.
 */
export async function onRedeliveryRequest(
  deps: Deps,
  { user_id, token, reply_to }: RedeliveryRequest,
): Promise<void> {
  if (!deps.users.find(user_id)) return;
  await deps.cursorWriter.flushUser(user_id);
  deps.send(user_id, reply_to, { user_id, token } satisfies RedeliveryAcknowledged);
  const user = deps.users.find(user_id);
  user?.noteAllOwed();
  if (user?.isBehind) await redeliver(deps, user);
}

/** Closes the connections of a user who acknowledges nothing: a new one starts clean, and is sent it all again. */
export function onEviction({ users, metrics }: Deps, userId: number): void {
  const user = users.find(userId);
  user?.noteAllOwed();
  if (!user?.isBehind) return;
  for (const { socket } of [...user.connections]) {
    metrics.evicted.inc();
    socket.end(closeReasons.notAcknowledged);
  }
}

/**
 * Reads the stored cursors first, because another gateway's connection of this user may have acknowledged what
 * this one's did not; then sends what is not acknowledged, within one window for all groups together. What is more than
 * that comes first next time.
 */
async function redeliver(deps: Deps, user: User): Promise<void> {
  // What was not read yet cannot be acknowledged yet; nor can what is on its way to a client that is catching up.
  const { DELIVERY_ACK_DEADLINE_MS } = deps.config;
  const readers = [...user.connections].filter(
    ({ writer, window }) => writer.isIdle && !window.isMoving(DELIVERY_ACK_DEADLINE_MS),
  );
  if (readers.length === 0) return;
  const cursors = user.takeOwedCursors(groupsMax);
  const group_ids = cursors.map(({ groupId }) => groupId);
  const { userId } = user;
  const reply = await deps.core.request('REPLAY_GROUPS', {
    user_id: userId,
    group_ids,
  });
  if (!reply.ok) return;
  for (const membership of reply.answer.memberships) await takeMembership(deps, user, membership);
  let room = deps.config.REPLAY_WINDOW;
  let bytes = deps.config.REPLAY_WINDOW_BYTES;
  for (const cursor of cursors) {
    await Promise.all(readers.map(({ writer }) => writer.turn()));
    if (room <= 0 || bytes <= 0) continue;
    const messages = await redeliverGroup(deps, readers, cursor, room);
    room -= messages.length;
    for (const [, , frame] of messages) bytes -= Buffer.byteLength(frame);
  }
}

async function takeMembership(
  { groups, states, cursorWriter }: Deps,
  user: User,
  head: Membership,
): Promise<void> {
  const feed = groups.find(head.group_id);
  if (!feed) return;
  if (head.version > feed.version) await states.read(feed);
  const cursor = feed.cursorOf(user.userId);
  if (!cursor) return;
  cursorWriter.raise(cursor, head);
  user.onRaised(feed.id);
}

/** @returns the messages that were sent again */
async function redeliverGroup(
  { metrics, groups }: Deps,
  readers: readonly UserConnection[],
  cursor: DeliveryCursor,
  limit: number,
): Promise<readonly StoredMessage[]> {
  const { userId, groupId } = cursor;
  const feed = groups.find(groupId);
  const owing = () =>
    readers.flatMap((reader) => {
      const subscription = reader.find(groupId);
      return subscription?.isOwed && subscription.cursor === cursor ? [subscription] : [];
    });
  if (!feed) return [];
  for (const subscription of owing()) {
    if (cursor.isBehind(0, subscription.reachedVersion)) subscription.sendState();
  }
  if (!owing().some(({ reachedSeq }) => cursor.isBehind(reachedSeq, 0))) return [];
  const afterSeq = cursor.deliveredSeq;
  const reader = readers.find(({ isOpen }) => isOpen);
  if (!reader) return [];
  const { user, messageBytes } = reader;
  // For all of them: the page is needed while one is open.
  const all = {
    user,
    messageBytes,
    get isOpen() {
      return readers.some((one) => one.isOpen);
    },
  };
  const reply = await feed.replayPage(afterSeq, limit, all);
  if (!reply.ok || !feed.isOpen) return [];
  if (!(await feed.applyStateOf(reply.answer))) return [];
  // Still a member, by the newest state, and of the same membership?
  if (feed.cursorOf(userId) !== cursor || cursor.joinedSeq > afterSeq) return [];
  const owed = reply.answer.messages.filter(([seq]) => !cursor.hasAcknowledged(seq));
  for (const subscription of owing()) {
    const again = owed.filter(([seq]) => seq <= subscription.reachedSeq);
    metrics.messagesRedelivered.inc(again.length);
    subscription.sendMessages(again);
    const [newestSeq] = again.at(-1) ?? [];
    if (newestSeq !== undefined) subscription.connection.onRedelivered(groupId, newestSeq);
  }
  return owed;
}
