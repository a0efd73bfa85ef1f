import { encodeFrame, errorTexts, failure, type SoundRequest, sidOf } from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { Session } from '../session.ts';
import { groupsWereSent } from './conn-keep-alive.ts';
import { type FrameHandler, nothing, reply } from './handler.ts';

/**
 * Makes the connection a user's: wait for a place, check the credential, answer, listen to the channels of the user and
 * of their groups, and only then read and replay. A second sign-in as the same user replays everything again; as another
 * user it is refused, whatever the code.
 *
 * The place is kept until the states of the first portion of groups were read: what a user with very many groups needs
 * then, and what a client does not read, is bounded elsewhere, and keeps nobody from signing in.
 */
export const authorizationSignIn: FrameHandler<'AUTHORIZATION_SIGN_IN_REQUEST'> = async (
  context,
  session,
  frame,
) => {
  const { country_code, phone_number } = frame.payload;
  const sid = sidOf(country_code, phone_number);
  if (session.user && session.user.sid !== sid) {
    session.socket.sendLater(failure(frame.type, frame.id, [errorTexts.alreadySignedIn.text]));
    return;
  }
  const leavePlace = await context.signIns.enter(session, `${session.socket.address} ${sid}`);
  if (!leavePlace) return;
  if (!(await signIn(context, session, frame, leavePlace))) leavePlace();
};

/** @param onRead called when the first groups were read @returns whether somebody is signed in now */
async function signIn(
  context: GatewayContext,
  session: Session,
  frame: SoundRequest<'AUTHORIZATION_SIGN_IN_REQUEST'>,
  onRead: () => void,
): Promise<boolean> {
  if (!session.socket.isOpen) return false;
  const { country_code, phone_number, verification_code } = frame.payload;
  const result = await context.core.request('AUTHORIZATION_SIGN_IN', {
    address: session.socket.address,
    country_code,
    phone_number,
    verification_code,
  });
  if (!session.socket.isOpen) return false;
  if (!result.ok) {
    reply(session, frame, result, nothing);
    return false;
  }
  const signIn = {};
  // Before anything is awaited: an earlier sign-in whose groups are sent meanwhile must not pass for this one.
  session.signIn = signIn;
  await session.signOut();
  if (!session.socket.isOpen) return false;
  const { user_id, sid, group_ids, delivered_seqs } = result.answer;
  const connection = session.signInAs(user_id, sid);
  session.socket.sendLater(encodeFrame('AUTHORIZATION_SIGN_IN_SUCCESS', frame.id, {}));
  void context.groups.joinAll(connection, group_ids, delivered_seqs, onRead).then(() => {
    onRead();
    if (session.signIn === signIn) groupsWereSent(session);
  });
  return true;
}
