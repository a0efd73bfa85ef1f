import type { GatewayContext } from '../context.ts';
import type { UserConnection } from '../groups/user-connection.ts';
import { clockStart } from './message-index.ts';

type Deps = Pick<
  GatewayContext,
  'groups' | 'messageIndex' | 'messageLookup' | 'cursorWriter' | 'metrics' | 'traces'
>;

/**
 * A client acknowledged a message: raises its user's cursor.
 * @param connection undefined before the sign-in: then the acknowledgement is ignored
 */
export function acknowledgeMessage(
  deps: Deps,
  connection: UserConnection | undefined,
  messageId: number,
): void {
  if (!connection) {
    deps.metrics.acknowledgementsIgnored.inc();
    return;
  }
  const { user } = connection;
  const place = deps.messageIndex.find(messageId);
  if (!place) {
    deps.messageLookup.add(connection, messageId);
    return;
  }
  const feed = place.feed.isOpen ? place.feed : deps.groups.find(place.feed.id);
  const cursor = feed?.cursorOf(user.userId);
  if (!cursor || place.seq <= cursor.joinedSeq) {
    deps.metrics.acknowledgementsIgnored.inc();
    return;
  }
  deps.metrics.acknowledged.count += 1;
  const change = cursor.acknowledge(place.seq);
  if (change === 'known') return;
  observeDelivery(deps, connection, cursor.groupId, place);
  deps.traces?.acknowledged(messageId, cursor, change);
  if (change === 'moved') deps.cursorWriter.changed(cursor);
  if (user.connections.length === 1) connection.onAcknowledged(cursor.groupId, place.seq);
  else for (const each of user.connections) each.onAcknowledged(cursor.groupId, place.seq);
}

/** The clocks are the database's and this machine's: what they are apart is in it, but nothing takes less than no time. */
function observeDelivery(
  { metrics }: Deps,
  connection: UserConnection,
  groupId: number,
  { seq, committedMs }: { readonly seq: number; readonly committedMs: number },
): void {
  const ms = Date.now() - clockStart - committedMs;
  if (Number.isNaN(ms)) return;
  metrics.deliverySeconds[connection.pathOf(groupId, seq)].observe(Math.max(0, ms) / 1_000);
}

/** The same for the state of a group: it counts for the oldest one that was sent on this connection. */
export function acknowledgeState(deps: Deps, connection: UserConnection | undefined, groupId: number): void {
  const subscription = connection?.find(groupId);
  const version = subscription?.takeAcknowledgedState();
  const cursor = subscription?.cursor;
  if (version === undefined || !cursor) {
    deps.metrics.acknowledgementsIgnored.inc();
    return;
  }
  deps.metrics.acknowledged.count += 1;
  if (cursor.acknowledgeState(version)) deps.cursorWriter.changed(cursor);
}
