import { idempotence, nothing, reply, type SignedInHandler } from './handler.ts';

export const groupAddMember: SignedInHandler<'GROUP_ADD_MEMBER_REQUEST'> = async (
  { core },
  session,
  frame,
) => {
  const { group_id, member_sid } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id: session.user.userId, repeatable, group_id, member_sid };
  reply(session, frame, await core.request('GROUP_ADD_MEMBER', params, requestId), nothing);
};
