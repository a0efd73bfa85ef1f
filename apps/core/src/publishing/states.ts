import { encodeJoined, encodeState, type GroupState } from '@hooligram/contract';
import type { Context } from '../context.ts';

type Publishing = Pick<Context, 'outbox' | 'names'>;

/** Tells every gateway that holds a member how the group is now. */
export function publishState({ outbox, names }: Publishing, state: GroupState): void {
  outbox.publish(names.group(state.group_id), encodeState(state));
}

/** Tells every gateway that holds this person that they are in the group. */
export function publishJoined({ outbox, names }: Publishing, userId: number, state: GroupState): void {
  const { group_id, version_seq: since } = state;
  outbox.publish(names.user(userId), encodeJoined({ user_id: userId, group_id, since }));
}
