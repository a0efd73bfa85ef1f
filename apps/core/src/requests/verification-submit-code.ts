import { encodeCredentialChanged, type Outcome } from '@hooligram/contract';
import {
  beginCheck,
  type Challenge,
  type ChallengeAnswer,
  type ChallengeOutcome,
  endCheck,
  type NewCredential,
  readChallenge,
  readChallengeAnswer,
  readOutcome,
  rememberNetwork,
  settleOutcome,
  verificationSubmitCode,
} from '@hooligram/db';
import type { Context } from '../context.ts';
import type { GuessBudget } from '../limits/guesses.ts';
import { orGiveBack, type Taken } from '../limits/limit.ts';
import type { Source } from '../limits/source.ts';
import { networkHash, signedInFrom } from '../verification/known-networks.ts';
import type { Recipient } from '../verification/provider.ts';
import { abandonedAfterMs, providerTimeMs, settled, stored } from '../verification/waiting.ts';
import {
  each,
  type Handler,
  type HandlerRequest,
  limited,
  providerCalls,
  refusal,
  success,
} from './handler.ts';

type Submission = HandlerRequest<'VERIFICATION_SUBMIT_CODE'>;
/** A guess that was taken, and from which budget, or the seconds until one is allowed. */
type Guess = (Taken & { readonly budget: GuessBudget }) | { readonly seconds: number };
type Verdict = Exclude<ChallengeOutcome, 'under_way'> | 'limited';

const refusals = {
  wrong: 'wrongCode',
  expired: 'codeExpired',
  none: 'noCodeRequested',
  too_many: 'tooManyAttempts',
  unavailable: 'codeNotChecked',
  failed: 'internalError',
} as const;

const outcomes = {
  right: 'right',
  wrong: 'wrong',
  expired: 'expired',
  tooMany: 'too_many',
  unavailable: 'unavailable',
} as const;

/**
 * Makes a right code the number's credential, together with a token that takes the code's place, and ends the sessions of
 * the credential before. Only the connection that requested a code can submit one.
 *
 * A code that the core made is compared in one transaction. A code that a provider made is checked by the provider
 * between two: the first counts the attempt, the second stores the effect and the outcome together. A second run waits
 * for that outcome, answers with the same token, and publishes again.
 */
export const verificationSubmitCodeHandler: Handler<'VERIFICATION_SUBMIT_CODE'> = {
  batchMax: 1,
  ...providerCalls,
  handle: each(async (context, request) => {
    const { db, limits, metrics } = context;
    const { connection_id, address } = request.params;
    // A second run counts against no limit, and its verdict was counted; one that could not compare is run again.
    const before = await readOutcome(db, 'verification_submit_code', {
      request_id: request.request_id,
      connection_id,
    });
    if (before !== undefined) return replyTo(context, request, await answerOfFirstRun(context, request));
    const count = (verdict: Verdict) => metrics.codesSubmitted.inc({ verdict });
    const challenge = await readChallenge(db, connection_id);
    if (!challenge) {
      count('none');
      return refusal('noCodeRequested');
    }
    const source = { sid: challenge.sid, address };
    const ofText = await limits.guesses.takeFirstOfText(`${connection_id} ${challenge.expires_ms}`);
    const guess = ofText ? { ...ofText, budget: 'open' as const } : await takeGuess(context, source);
    if ('seconds' in guess) {
      count('limited');
      return limited('tooManyAttempts', guess.seconds);
    }
    const answer = await compareOrCheck(context, request, challenge, guess);
    if (answer.outcome !== 'under_way') count(answer.outcome);
    if (answer.outcome === 'right') {
      if (!ofText) await guess.giveBack();
      await limits.guesses.succeeded(source, guess.budget);
      await limits.texts.converted(source);
    }
    return replyTo(context, request, answer);
  }),
};

/** Taken before it is compared, however many are submitted at once; a right one is given back. */
async function takeGuess(context: Context, source: Source): Promise<Guess> {
  const { guesses } = context.limits;
  const allowed = await guesses.allow(source, () => signedInFrom(context, source));
  if ('seconds' in allowed) return allowed;
  const taken = await guesses.take(source, allowed.budget);
  return 'seconds' in taken ? taken : { ...taken, ...allowed };
}

/** @param guess is given back if the code is not compared */
async function compareOrCheck(
  context: Context,
  request: Submission,
  { sid, code_hash }: Challenge,
  guess: Taken,
): Promise<ChallengeAnswer> {
  const { config, db, credentials, deadlines, provider } = context;
  const { connection_id, verification_code } = request.params;
  if (code_hash === null) return check(context, request, sid, guess);
  const submission = {
    request_id: request.request_id,
    connection_id,
    code_hashes: credentials.hashes(sid, verification_code),
    ...newCredential(context, request, sid),
    attempts_max: config.VERIFICATION_ATTEMPTS_MAX,
  };
  const answer = await orGiveBack(guess, () => verificationSubmitCode(db, submission, deadlines.of(request)));
  if (answer.outcome !== 'right') return answer;
  countConverted(context, sid);
  void provider.reportConverted?.(recipientOf(sid));
  return answer;
}

/** A code that was sent is a credential now. */
function countConverted({ metrics }: Context, sid: string): void {
  metrics.codes(recipientOf(sid).countryCode, 'converted').count += 1;
}

function recipientOf(sid: string): Recipient {
  const [countryCode = '', phoneNumber = ''] = sid.split('.');
  return { countryCode, phoneNumber };
}

async function check(
  context: Context,
  request: Submission,
  sid: string,
  guess: Taken,
): Promise<ChallengeAnswer> {
  const { config, db, provider, deadlines } = context;
  const { connection_id, verification_code } = request.params;
  const key = { request_id: request.request_id, connection_id, sid };
  const attempts_max = config.VERIFICATION_ATTEMPTS_MAX;
  const begun = await orGiveBack(guess, () =>
    beginCheck(db, { ...key, attempts_max }, deadlines.of(request)),
  );
  if (begun === 'under_way') {
    await guess.giveBack();
    return answerOfFirstRun(context, request);
  }
  if (begun !== 'begun') return { outcome: begun };

  const timeMs = providerTimeMs(context, request);
  const outcome = outcomes[await provider.check(recipientOf(sid), verification_code, timeMs)];
  if (outcome === 'right') countConverted(context, sid);
  const made = newCredential(context, request, sid);
  return stored(context, request, () => endCheck(db, { ...key, ...made, outcome }));
}

function newCredential({ credentials }: Context, request: Submission, sid: string): NewCredential {
  const { connection_id, verification_code } = request.params;
  const { token, key } = credentials.tokenOf({ request_id: request.request_id, connection_id });
  return {
    credential_hash: credentials.hash(sid, verification_code),
    token_hash: credentials.hash(sid, token),
    key,
  };
}

async function answerOfFirstRun(context: Context, request: Submission): Promise<ChallengeAnswer> {
  const { db } = context;
  const key = { request_id: request.request_id, connection_id: request.params.connection_id };
  const outcome = await settled<ChallengeOutcome>(context, request, () =>
    settleOutcome(db, 'verification_submit_code', key, 'unavailable', abandonedAfterMs(context)),
  );
  return outcome === 'right' ? ((await readChallengeAnswer(db, key)) ?? { outcome }) : { outcome };
}

async function replyTo(
  { db, credentials, publisher, names }: Context,
  { request_id, params: { connection_id, address } }: Submission,
  { outcome, user_id, version, key }: ChallengeAnswer,
): Promise<Outcome<'VERIFICATION_SUBMIT_CODE'> | undefined> {
  if (outcome === 'under_way') return undefined;
  if (outcome !== 'right') return refusal(refusals[outcome]);
  // Recorded by a core of the release before.
  if (user_id === undefined || version === undefined) return success({});
  // The sign-in that follows may be one with the code, of which strangers have used up the guesses elsewhere.
  const network = networkHash(credentials, address);
  if (network) await rememberNetwork(db, { user_id, version, network });
  publisher.publish(
    names.user(user_id),
    encodeCredentialChanged({ user_id, version, connection_id }),
    user_id,
  );
  // A core of the release before made no token.
  if (typeof key !== 'string') return success({ user_id, credential_version: version });
  const { token } = credentials.tokenOf({ request_id, connection_id }, key);
  return success({ token, user_id, credential_version: version });
}
