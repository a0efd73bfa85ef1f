import { type FrameHandler, nothing, refuseFor, reply } from './handler.ts';

export const verificationRequestCode: FrameHandler<'VERIFICATION_REQUEST_CODE_REQUEST'> = async (
  { core, clientLimits },
  session,
  frame,
) => {
  const waitSeconds = session.limits && clientLimits?.codeRequestWait(session.limits.source);
  if (waitSeconds !== undefined) {
    refuseFor(session, frame, waitSeconds);
    return;
  }
  const { country_code, phone_number } = frame.payload;
  const connection = { connection_id: session.connectionId, address: session.socket.address };
  const result = await core.request('VERIFICATION_REQUEST_CODE', {
    ...connection,
    country_code,
    phone_number,
  });
  if (result.ok) session.limits?.codeSent();
  reply(session, frame, result, nothing);
};
