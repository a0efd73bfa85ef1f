import { type FrameHandler, idempotence, reply } from './handler.ts';

export const messagingSend: FrameHandler<'MESSAGING_SEND_REQUEST'> = async ({ core }, session, frame) => {
  if (!session.person) return;
  const { userId: user_id, sid } = session.person;
  const { group_id, content } = frame.payload;
  const { requestId, repeatable } = idempotence(frame.id);
  const params = { user_id, sid, repeatable, group_id, content };
  const result = await core.ask('MESSAGING_SEND', params, requestId, session);
  reply(session, frame, result, ({ message_id }) => ({ message_id }));
};
