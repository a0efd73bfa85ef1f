import { errorTexts, failure } from '@hooligram/protocol';
import { type FrameHandler, reply } from './handler.ts';

export const verificationSubmitCode: FrameHandler<'VERIFICATION_SUBMIT_CODE_REQUEST'> = async (
  { core },
  session,
  frame,
) => {
  if (!session.hasRequestedCode) {
    // Neither the core nor its database is asked about what anybody may send in any number.
    session.socket.sendLater(failure(frame.type, frame.id, [errorTexts.noCodeRequested.text]));
    return;
  }
  const { verification_code } = frame.payload;
  const connection = { connection_id: session.connectionId, address: session.socket.address };
  // The session of the one who verifies is not ended for it.
  if (session.connection) session.connection.verifying = session.connectionId;
  const result = await core.request('VERIFICATION_SUBMIT_CODE', { ...connection, verification_code });
  if (result.ok && session.limits) session.limits.hasVerified = true;
  if (session.connection) {
    if (result.ok) session.connection.noteVerified(result.answer);
    session.connection.verifying = undefined;
  }
  reply(session, frame, result, ({ token }) => (token === undefined ? {} : { token }));
};
