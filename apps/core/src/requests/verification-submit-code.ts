import {
  beginCheck,
  type ChallengeOutcome,
  finishCheck,
  readChallenge,
  readOutcome,
  settleOutcome,
  verificationSubmitCode,
} from '@hooligram/db';
import type { Context } from '../context.ts';
import { abandonedAfterMs, providerTimeMs, settled, stored } from '../verification/waiting.ts';
import { type Asked, each, type Handler, refusal, success } from './handler.ts';

type Submission = Asked<'VERIFICATION_SUBMIT_CODE'>;

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

/** What is the submitter's doing, and counts against the limit of their address. */
const counted: readonly ChallengeOutcome[] = ['wrong', 'expired', 'none', 'too_many'];

/**
 * Makes a right code the number's credential. Only the connection that asked for a code can submit one.
 *
 * A code that we made is judged in one transaction. One that a provider made is judged between two: the first one
 * counts the attempt, the second one has the effect and the answer together. A second run waits for that answer.
 */
export const verificationSubmitCodeHandler: Handler<'VERIFICATION_SUBMIT_CODE'> = {
  batchMax: 1,
  concurrency: 4,
  run: each(async (context, asked) => {
    const { db, limits } = context;
    const { connection_id, address } = asked.params;
    // A second run takes nothing of anybody's limits.
    const request = { request_id: asked.request_id, connection_id };
    const standing = await readOutcome(db, 'verification_submit_code', request);
    if (standing !== undefined) return replyOf(await firstRunsOutcome(context, asked));
    if (!(await limits.submitAllowed({ address }))) return refusal('tooManyAttempts');
    const outcome = await judge(context, asked);
    if (counted.includes(outcome)) await limits.submitFailed({ address });
    return replyOf(outcome);
  }),
};

async function judge(context: Context, asked: Submission): Promise<ChallengeOutcome> {
  const { config, db, credentialHash, deadlines } = context;
  const { request_id, params } = asked;
  const { connection_id, verification_code } = params;
  const challenge = await readChallenge(db, connection_id);
  if (challenge?.code_hash === null) return check(context, asked, challenge.sid);
  const credential_hash = credentialHash(challenge?.sid ?? '', verification_code);
  const attempts_max = config.VERIFICATION_ATTEMPTS_MAX;
  return verificationSubmitCode(
    db,
    { request_id, connection_id, code_hash: credential_hash, credential_hash, attempts_max },
    deadlines.of(asked),
  );
}

async function check(context: Context, asked: Submission, sid: string): Promise<ChallengeOutcome> {
  const { config, db, provider, credentialHash, deadlines } = context;
  const { connection_id, verification_code } = asked.params;
  const request = { request_id: asked.request_id, connection_id, sid };
  const attempts_max = config.VERIFICATION_ATTEMPTS_MAX;
  const begun = await beginCheck(db, { ...request, attempts_max }, deadlines.of(asked));
  if (begun === 'under_way') return firstRunsOutcome(context, asked);
  if (begun !== 'begun') return begun;

  const [countryCode = '', phoneNumber = ''] = sid.split('.');
  const timeMs = providerTimeMs(context, asked);
  const checked = await provider.check({ countryCode, phoneNumber }, verification_code, timeMs);
  const credential_hash = credentialHash(sid, verification_code);
  const outcome = outcomes[checked];
  return stored(context, asked, () => finishCheck(db, { ...request, outcome, credential_hash }));
}

function firstRunsOutcome(context: Context, asked: Submission): Promise<ChallengeOutcome> {
  const { request_id, params } = asked;
  const request = { request_id, connection_id: params.connection_id };
  return settled<ChallengeOutcome>(context, asked, () =>
    settleOutcome(context.db, 'verification_submit_code', request, 'unavailable', abandonedAfterMs(context)),
  );
}

function replyOf(outcome: ChallengeOutcome) {
  if (outcome === 'under_way') return undefined;
  return outcome === 'right' ? success({}) : refusal(refusals[outcome]);
}
