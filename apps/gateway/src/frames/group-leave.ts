import type { AnswerOf } from '@hooligram/contract';
import type { GroupFeed } from '../groups/group-feed.ts';
import { idempotence, nothing, reply, type SignedInHandler } from './handler.ts';

const unknown = { ok: false, errors: [], isUnknown: true } as const;

/** A user who got SUCCESS is sent nothing more from the group: the new state applies here before the answer. */
export const groupLeave: SignedInHandler<'GROUP_LEAVE_REQUEST'> = async (
  { core, groups },
  session,
  frame,
) => {
  const { group_id } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id: session.user.userId, repeatable, group_id, reads_state: true };
  const result = await core.request('GROUP_LEAVE', params, requestId);
  const isTold = !result.ok || (await applies(groups.find(group_id), result.answer));
  reply(session, frame, isTold ? result : unknown, nothing);
};

/** @returns false if the state could not be read: the one who left may be sent something more */
async function applies(
  feed: GroupFeed | undefined,
  { state, version }: AnswerOf<'GROUP_LEAVE'>,
): Promise<boolean> {
  if (!feed) return true;
  if (state) feed.apply(state);
  if (version === undefined) return true;
  return (await feed.applyStateOf({ version })) || !feed.isOpen;
}
