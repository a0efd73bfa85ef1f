import { type FrameHandler, nothing, reply } from './handler.ts';

export const verificationSubmitCode: FrameHandler<'VERIFICATION_SUBMIT_CODE_REQUEST'> = async (
  { core },
  session,
  frame,
) => {
  const { verification_code } = frame.payload;
  const connection = { connection_id: session.connectionId, address: session.socket.address };
  const result = await core.request('VERIFICATION_SUBMIT_CODE', { ...connection, verification_code });
  reply(session, frame, result, nothing);
};
