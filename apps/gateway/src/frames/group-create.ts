import { idempotence, reply, type SignedInHandler } from './handler.ts';

export const groupCreate: SignedInHandler<'GROUP_CREATE_REQUEST'> = async ({ core }, session, frame) => {
  const { userId: user_id, sid } = session.user;
  const { group_name, member_sids } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id, sid, repeatable, group_name, member_sids };
  reply(session, frame, await core.request('GROUP_CREATE', params, requestId), ({ group_id }) => ({
    group_id,
  }));
};
