import { encodeJoined, encodeState, type GroupState } from '@hooligram/contract';
import type { Context } from '../context.ts';

type Publishing = Pick<Context, 'publisher' | 'names'>;

/** Publishes the state of a group to every gateway that holds a member. */
export function publishState({ publisher, names }: Publishing, state: GroupState): void {
  publisher.publish(names.group(state.group_id), encodeState(state));
}

/** Publishes to every gateway that holds this user that the user is in the group. */
export function publishJoined({ publisher, names }: Publishing, userId: number, state: GroupState): void {
  const { group_id, version_seq: since } = state;
  publisher.publish(names.user(userId), encodeJoined({ user_id: userId, group_id, since }));
}
