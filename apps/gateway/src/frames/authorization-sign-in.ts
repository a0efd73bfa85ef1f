import { encodeFrame, errorTexts, failure, type SoundRequest, sidOf, tryAgainIn } from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { Reply } from '../core/core-client.ts';
import type { Session } from '../session.ts';
import { groupsWereSent } from './conn-keep-alive.ts';
import { type FrameHandler, nothing, reply } from './handler.ts';

/**
 * A sign-in keeps its place until the states of all groups are sent, and after its answer no longer than this: what a
 * user with very many groups needs then is bounded elsewhere.
 */
const placeMaxMs = 5_000;

/**
 * Makes the connection a user's: wait for a place, check the credential, answer, listen to the channels of the user and
 * of their groups, and only then read and replay. A second sign-in as the same user replays everything again; as another
 * user it is refused, whatever the code.
 */
export const authorizationSignIn: FrameHandler<'AUTHORIZATION_SIGN_IN_REQUEST'> = async (
  context,
  session,
  frame,
) => {
  const { country_code, phone_number } = frame.payload;
  if (session.user && session.user.sid !== sidOf(country_code, phone_number)) {
    session.socket.sendLater(failure(frame.type, frame.id, [errorTexts.alreadySignedIn.text]));
    return;
  }
  const waitSeconds = context.clientLimits?.signInWait(sidOf(country_code, phone_number));
  if (waitSeconds !== undefined) {
    const text = tryAgainIn(errorTexts.tooManyRequests.text, waitSeconds);
    session.socket.sendLater(failure(frame.type, frame.id, [text]));
    return;
  }
  const begunAt = performance.now();
  const { signIns, signInSeconds } = context.metrics;
  const leavePlace = await context.signIns.enter(session);
  if (!leavePlace) {
    signIns.inc({ outcome: 'left' });
    return;
  }
  const signedIn = await signIn(context, session, frame);
  if (!signedIn) return leavePlace();
  const timer = setTimeout(leavePlace, placeMaxMs);
  void signedIn.joined.then(() => {
    clearTimeout(timer);
    signInSeconds.observe((performance.now() - begunAt) / 1_000);
    leavePlace();
  });
};

/** @returns undefined when nobody is signed in; else a promise of when the states of all groups were sent */
async function signIn(
  context: GatewayContext,
  session: Session,
  frame: SoundRequest<'AUTHORIZATION_SIGN_IN_REQUEST'>,
): Promise<{ joined: Promise<void> } | undefined> {
  if (!session.socket.isOpen) {
    context.metrics.signIns.inc({ outcome: 'left' });
    return undefined;
  }
  const { country_code, phone_number, verification_code } = frame.payload;
  const result = await context.core.request('AUTHORIZATION_SIGN_IN', {
    address: session.socket.address,
    country_code,
    phone_number,
    verification_code,
  });
  context.metrics.signIns.inc({ outcome: outcomeOf(result, session) });
  if (!session.socket.isOpen) return undefined;
  if (!result.ok) {
    reply(session, frame, result, nothing);
    return undefined;
  }
  const signIn = {};
  // Before anything is awaited: an earlier sign-in whose groups are sent meanwhile must not pass for this one.
  session.signIn = signIn;
  await session.signOut();
  if (!session.socket.isOpen) return undefined;
  const { user_id, sid, group_ids, delivered_seqs, credential_version } = result.answer;
  const connection = session.signInAs(user_id, sid, credential_version);
  context.clientLimits?.signedIn(sid);
  session.socket.sendLater(encodeFrame('AUTHORIZATION_SIGN_IN_SUCCESS', frame.id, {}));
  const joined = context.groups.joinAll(connection, group_ids, delivered_seqs).then(() => {
    if (session.signIn === signIn) groupsWereSent(session);
  });
  return { joined };
}

function outcomeOf(result: Reply<'AUTHORIZATION_SIGN_IN'>, { socket }: Session) {
  if (!socket.isOpen) return 'left';
  if (result.ok) return 'success';
  if (result.isUnknown) return 'unknown';
  return result.errors.includes(errorTexts.serverBusy.text) ? 'busy' : 'failure';
}
