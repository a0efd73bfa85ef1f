import { idempotence, nothing, reply, type SignedInHandler } from './handler.ts';

/** A user who got SUCCESS is sent nothing more from the group: the new state applies here before the answer. */
export const groupLeave: SignedInHandler<'GROUP_LEAVE_REQUEST'> = async (
  { core, groups },
  session,
  frame,
) => {
  const { group_id } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id: session.user.userId, repeatable, group_id };
  const result = await core.request('GROUP_LEAVE', params, requestId);
  if (result.ok && result.answer.state) groups.find(group_id)?.apply(result.answer.state);
  reply(session, frame, result, nothing);
};
