import { encodeDeliveryCheck, encodeJoined, encodeState, type GroupState } from '@hooligram/contract';
import type { Context } from '../context.ts';

/** A state of more characters is not published: Redis would hold it for every gateway at the same time. */
const publishedCharactersMax = 256 * 1_024;

/**
 * Publishes a group's new state to every gateway that holds a member, and schedules the group's delivery check.
 * Of a very large one only the version is published: gateways that hold a member read it. Messages of that version wait
 * there for it.
 *
 * @param joined users who may be new in the group: a gateway that holds none of the other members is subscribed to its
 *   users, not yet to the group
 */
export function publishState(
  { publisher, names, deliveryChecks }: Context,
  state: GroupState,
  joined: readonly number[] = [],
): void {
  const { group_id, version, version_seq: since } = state;
  const encoded = encodeState(state);
  const head = { group_id, version, last_seq: since, due_seq: 0, due_version: 0 };
  publisher.publish(
    names.group(group_id),
    encoded.length <= publishedCharactersMax ? encoded : encodeDeliveryCheck(head),
  );
  for (const user_id of joined) {
    publisher.publish(names.user(user_id), encodeJoined({ user_id, group_id, since }));
  }
  deliveryChecks.schedule(group_id);
}
