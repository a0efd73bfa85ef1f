import { type FrameHandler, idempotence, reply } from './handler.ts';

export const groupCreate: FrameHandler<'GROUP_CREATE_REQUEST'> = async ({ core }, session, frame) => {
  if (!session.person) return;
  const { userId: user_id, sid } = session.person;
  const { group_name, member_sids } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id, sid, repeatable, group_name, member_sids };
  reply(session, frame, await core.ask('GROUP_CREATE', params, requestId), ({ group_id }) => ({ group_id }));
};
