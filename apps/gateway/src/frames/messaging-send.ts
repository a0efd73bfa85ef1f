import { idempotence, reply, type SignedInHandler } from './handler.ts';

export const messagingSend: SignedInHandler<'MESSAGING_SEND_REQUEST'> = async (
  { core, traces },
  session,
  frame,
) => {
  const { userId: user_id, sid } = session.user;
  const { group_id, content } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id, sid, repeatable, group_id, content };
  const sending = traces?.sending(frame);
  const result = await core.request(
    'MESSAGING_SEND',
    params,
    requestId,
    session,
    undefined,
    sending?.context,
  );
  reply(session, frame, result, ({ message_id }) => ({ message_id }));
  sending?.end(result);
};
