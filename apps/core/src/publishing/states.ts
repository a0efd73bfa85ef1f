import { encodeChange, type GroupState, type GroupVersion } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { publishJoined } from './joined.ts';

/**
 * Publishes a group's new state to every gateway that holds a member, and schedules the group's delivery check.
 * Of a very large one only the version is published: gateways that hold a member read it. Messages of that version wait
 * there for it.
 *
 * @param joined users who may be new in the group: a gateway that holds none of the other members is subscribed to its
 *   users, not yet to the group
 * @returns when everything is on its way: the request may be answered then
 */
export async function publishState(
  context: Context,
  state: GroupState | GroupVersion,
  joined: readonly number[] = [],
): Promise<void> {
  const { publisher, names, deliveryChecks } = context;
  const { group_id, version_seq: since } = state;
  publisher.publish(names.group(group_id), encodeChange(state), group_id);
  deliveryChecks.schedule(group_id);
  await publishJoined(context, { group_id, since }, joined);
}
