import { askUnlessRefused, idempotence, nothing, reply, type SignedInHandler } from './handler.ts';

export const groupAddMember: SignedInHandler<'GROUP_ADD_MEMBER_REQUEST'> = async (
  context,
  session,
  frame,
) => {
  const { userId: user_id } = session.user;
  const { group_id, member_sid } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id, repeatable, group_id, member_sid };
  const limited = { key: `add ${user_id}`, source: user_id };
  const result = await askUnlessRefused(context, session, frame, limited, () =>
    context.core.request('GROUP_ADD_MEMBER', params, requestId),
  );
  if (result) reply(session, frame, result, nothing);
};
