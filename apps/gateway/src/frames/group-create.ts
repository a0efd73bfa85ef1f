import { askUnlessRefused, idempotence, reply, type SignedInHandler } from './handler.ts';

export const groupCreate: SignedInHandler<'GROUP_CREATE_REQUEST'> = async (context, session, frame) => {
  const { userId: user_id, sid } = session.user;
  const { group_name, member_sids } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id, sid, repeatable, group_name, member_sids };
  const limited = { key: `create ${user_id}`, source: user_id };
  const result = await askUnlessRefused(context, session, frame, limited, () =>
    context.core.request('GROUP_CREATE', params, requestId),
  );
  if (result) reply(session, frame, result, ({ group_id }) => ({ group_id }));
};
