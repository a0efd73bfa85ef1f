import { encodeFrame, errorTexts, failure, sidOf } from '@hooligram/protocol';
import { groupsWereSent } from './conn-keep-alive.ts';
import { type FrameHandler, nothing, reply } from './handler.ts';

/**
 * Makes the connection a user's: check the credential, answer, listen to the channels of the user and of their groups,
 * and only then read and replay. A second sign-in as the same user replays everything again; as another user it is
 * refused, whatever the code.
 */
export const authorizationSignIn: FrameHandler<'AUTHORIZATION_SIGN_IN_REQUEST'> = async (
  context,
  session,
  frame,
) => {
  const { country_code, phone_number, verification_code } = frame.payload;
  if (session.user && session.user.sid !== sidOf(country_code, phone_number)) {
    session.socket.sendLater(failure(frame.type, frame.id, [errorTexts.alreadySignedIn.text]));
    return;
  }
  const result = await context.core.request('AUTHORIZATION_SIGN_IN', {
    address: session.socket.address,
    country_code,
    phone_number,
    verification_code,
  });
  if (!session.socket.isOpen) return;
  if (!result.ok) return reply(session, frame, result, nothing);

  const signIn = {};
  // Before anything is awaited: an earlier sign-in whose groups are sent meanwhile must not pass for this one.
  session.signIn = signIn;
  await session.signOut();
  if (!session.socket.isOpen) return;
  const { user_id, sid, group_ids, delivered_seqs } = result.answer;
  const connection = session.signInAs(user_id, sid);
  session.socket.sendLater(encodeFrame('AUTHORIZATION_SIGN_IN_SUCCESS', frame.id, {}));
  void context.groups.joinAll(connection, group_ids, delivered_seqs).then(() => {
    if (session.signIn === signIn) groupsWereSent(session);
  });
};
