import { type FrameHandler, idempotence, nothing, reply } from './handler.ts';

export const groupAddMember: FrameHandler<'GROUP_ADD_MEMBER_REQUEST'> = async ({ core }, session, frame) => {
  if (!session.person) return;
  const { group_id, member_sid } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id: session.person.userId, repeatable, group_id, member_sid };
  reply(session, frame, await core.ask('GROUP_ADD_MEMBER', params, requestId), nothing);
};
