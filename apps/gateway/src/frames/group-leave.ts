import { type FrameHandler, idempotence, nothing, reply } from './handler.ts';

/** Who is told that they left is sent nothing more from the group: the new state applies here before the answer. */
export const groupLeave: FrameHandler<'GROUP_LEAVE_REQUEST'> = async ({ core, groups }, session, frame) => {
  if (!session.person) return;
  const { group_id } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id: session.person.userId, repeatable, group_id };
  const result = await core.ask('GROUP_LEAVE', params, requestId);
  if (result.ok && result.answer.state) groups.find(group_id)?.apply(result.answer.state);
  reply(session, frame, result, nothing);
};
