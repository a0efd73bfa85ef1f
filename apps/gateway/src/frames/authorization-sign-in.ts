import { encodeFrame, errorTexts, failure, sidOf } from '@hooligram/protocol';
import { openGroups } from '../groups/join.ts';
import { groupsWereSent } from './conn-keep-alive.ts';
import { type FrameHandler, nothing, reply } from './handler.ts';

/**
 * Makes the connection a person's: check the credential, answer, listen to what concerns the person and their
 * groups, and only then read and replay. As the same person once more, all is replayed again; as somebody else
 * it is refused, whatever the code.
 */
export const authorizationSignIn: FrameHandler<'AUTHORIZATION_SIGN_IN_REQUEST'> = async (
  context,
  session,
  frame,
) => {
  const { country_code, phone_number, verification_code } = frame.payload;
  if (session.person && session.person.sid !== sidOf(country_code, phone_number)) {
    session.socket.sendLater(failure(frame.type, frame.id, [errorTexts.alreadySignedIn.text]));
    return;
  }
  const result = await context.core.ask('AUTHORIZATION_SIGN_IN', {
    address: session.socket.address,
    country_code,
    phone_number,
    verification_code,
  });
  if (!session.socket.isOpen) return;
  if (!result.ok) return reply(session, frame, result, nothing);

  const opening = {};
  // Before anything is awaited: an earlier opening that ends meanwhile must not pass for this one.
  session.opening = opening;
  await session.signOut();
  if (!session.socket.isOpen) return;
  const { user_id, sid, group_ids, delivered_seqs } = result.answer;
  session.person = context.people.enter(session, user_id, sid);
  session.socket.sendLater(encodeFrame('AUTHORIZATION_SIGN_IN_SUCCESS', frame.id, {}));
  void openGroups(context, session, group_ids, delivered_seqs, 'all').then(() => {
    if (session.opening === opening) groupsWereSent(session);
  });
};
