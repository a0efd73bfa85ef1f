import { encodeJoined, encodeState, type GroupState } from '@hooligram/contract';
import type { Context } from '../context.ts';

type Publishing = Pick<Context, 'publisher' | 'names'>;

/** Tells every gateway that holds a member how the group is now. */
export function publishState({ publisher, names }: Publishing, state: GroupState): void {
  publisher.publish(names.group(state.group_id), encodeState(state));
}

/** Tells every gateway that holds this person that they are in the group. */
export function publishJoined({ publisher, names }: Publishing, userId: number, state: GroupState): void {
  const { group_id, version_seq: since } = state;
  publisher.publish(names.user(userId), encodeJoined({ user_id: userId, group_id, since }));
}
