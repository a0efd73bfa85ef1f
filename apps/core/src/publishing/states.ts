import { encodeJoined, encodeState, type GroupState } from '@hooligram/contract';
import type { Context } from '../context.ts';

/**
 * Publishes a group's new state to every gateway that holds a member, and schedules the group's delivery check.
 *
 * @param joined users who may be new in the group: a gateway that holds none of the other members is subscribed to its
 *   users, not yet to the group
 */
export function publishState(
  { publisher, names, deliveryChecks }: Context,
  state: GroupState,
  joined: readonly number[] = [],
): void {
  const { group_id, version_seq: since } = state;
  publisher.publish(names.group(group_id), encodeState(state));
  for (const user_id of joined) {
    publisher.publish(names.user(user_id), encodeJoined({ user_id, group_id, since }));
  }
  deliveryChecks.schedule(group_id);
}
