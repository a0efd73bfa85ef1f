import {
  encodeFrame,
  errorTexts,
  failure,
  readTryAgain,
  type SoundRequest,
  sidOf,
} from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { Reply } from '../core/core-client.ts';
import type { Session } from '../session.ts';
import { groupsWereSent } from './conn-keep-alive.ts';
import { type FrameHandler, noteRefusal, nothing, refuseAsBefore, refuseFor, reply } from './handler.ts';

/** No code is longer. Tokens are, and nobody can use up what their owners need. */
const codeCharactersMax = 10;

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
  const waitSeconds = context.clientLimits?.signInWait(sid);
  if (waitSeconds !== undefined) {
    refuseFor(session, frame, waitSeconds);
    context.metrics.signIns('limited').count += 1;
    return;
  }
  // Whoever has the right credential is told so, whatever they sign in with next: nobody else brings it about.
  const tooOften = { key: tooOftenKey(sid), source: 'of a user' };
  if (refuseAsBefore(context, session, frame, tooOften) || isRefusedGuess(context, session, frame)) {
    context.metrics.signIns('limited').count += 1;
    return;
  }
  const begunAt = performance.now();
  const leavePlace = await context.signIns.enter(session, `${session.socket.address} ${sid}`);
  if (!leavePlace) {
    context.metrics.signIns('left').count += 1;
    return;
  }
  if (!(await signIn(context, session, frame, { begunAt, onRead: leavePlace }))) leavePlace();
};

type SignInFrame = SoundRequest<'AUTHORIZATION_SIGN_IN_REQUEST'>;

/** @param onRead called when the first groups were read @returns whether somebody is signed in now */
async function signIn(
  context: GatewayContext,
  session: Session,
  frame: SignInFrame,
  { begunAt, onRead }: { begunAt: number; onRead(): void },
): Promise<boolean> {
  if (!session.socket.isOpen) {
    context.metrics.signIns('left').count += 1;
    return false;
  }
  const { country_code, phone_number, verification_code } = frame.payload;
  const result = await context.core.request('AUTHORIZATION_SIGN_IN', {
    address: session.socket.address,
    country_code,
    phone_number,
    verification_code,
  });
  context.metrics.signIns(outcomeOf(result, session)).count += 1;
  noteGuess(context, session, frame, result);
  if (result.ok || isLimited(result.errors, 'tooManyRequests')) {
    noteRefusal(context, tooOftenKey(sidOf(country_code, phone_number)), result);
  }
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
  const { user_id, sid, group_ids, delivered_seqs, credential_version } = result.answer;
  const connection = session.signInAs(user_id, sid, credential_version);
  context.clientLimits?.signedIn(sid);
  session.socket.sendLater(encodeFrame('AUTHORIZATION_SIGN_IN_SUCCESS', frame.id, {}));
  void context.groups.joinAll(connection, group_ids, delivered_seqs, onRead).then(() => {
    onRead();
    context.metrics.signInSeconds.observe((performance.now() - begunAt) / 1_000);
    if (session.signIn === signIn) groupsWereSent(session);
  });
  return true;
}

/** Refuses a code that the core need not be asked about. @returns whether it did */
function isRefusedGuess(context: GatewayContext, session: Session, frame: SignInFrame): boolean {
  const key = guessKeyOf(session, frame);
  if (key === undefined || !session.limits) return false;
  // Probably with that code: what others of the network got wrong says nothing about it.
  if (session.limits.hasVerified) return false;
  if (refuseAsBefore(context, session, frame, { key, source: session.socket.address }, 'guessRefusals')) {
    return true;
  }
  const waitSeconds = context.clientLimits?.guessWait(session.limits);
  if (waitSeconds === undefined) return false;
  refuseFor(session, frame, waitSeconds, 'tooManyAttempts');
  return true;
}

/** Remembers what the core said about a code, once for each number from where it comes. */
function noteGuess(
  context: GatewayContext,
  session: Session,
  frame: SignInFrame,
  result: Reply<'AUTHORIZATION_SIGN_IN'>,
): void {
  const key = guessKeyOf(session, frame);
  if (key === undefined || !session.limits) return;
  // A core that was busy, or did not answer, has not looked at the code.
  if (result.ok || !(result.isUnknown || isBusy(result.errors))) session.limits.hasVerified = false;
  const wasKnown = context.clientLimits?.guessRefusals.has(key);
  noteRefusal(context, key, result, 'guessRefusals');
  if (wasKnown || result.ok) return;
  if (isLimited(result.errors, 'tooManyAttempts')) context.clientLimits?.guessRefused(session.limits.source);
}

const tooOftenKey = (sid: string) => `sign-in ${sid}`;

/** Whether a limit stood in the way, and not the credential. */
function isLimited([error = '']: readonly string[], code: 'tooManyAttempts' | 'tooManyRequests'): boolean {
  const { text, seconds } = readTryAgain(error);
  return seconds !== undefined && text === errorTexts[code].text;
}

/** What is counted of a code, which may be a guess: its number, and the network that it comes from. */
function guessKeyOf({ limits }: Session, { payload }: SignInFrame): string | undefined {
  const { country_code, phone_number, verification_code } = payload;
  if (!limits || verification_code.length > codeCharactersMax) return undefined;
  return `guess ${limits.source} ${sidOf(country_code, phone_number)}`;
}

function outcomeOf(result: Reply<'AUTHORIZATION_SIGN_IN'>, { socket }: Session) {
  if (!socket.isOpen) return 'left';
  if (result.ok) return 'success';
  if (result.isUnknown) return 'unknown';
  if (isBusy(result.errors)) return 'busy';
  const isByLimit =
    isLimited(result.errors, 'tooManyAttempts') || isLimited(result.errors, 'tooManyRequests');
  return isByLimit ? 'limited' : 'failure';
}

function isBusy(errors: readonly string[]): boolean {
  return errors.includes(errorTexts.serverBusy.text);
}
