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
import { each, type Handler, type HandlerRequest, refusal, success } from './handler.ts';

type Submission = HandlerRequest<'VERIFICATION_SUBMIT_CODE'>;

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

/** The outcomes that the submitting client causes: they count against the limit of its address. */
const countedAgainstLimit: readonly ChallengeOutcome[] = ['wrong', 'expired', 'none', 'too_many'];

/**
 * Makes a right code the number's credential. Only the connection that requested a code can submit one.
 *
 * A code that the core made is compared in one transaction. A code that a provider made is checked by the provider
 * between two: the first counts the attempt, the second stores the effect and the outcome together. A second run waits
 * for that outcome.
 */
export const verificationSubmitCodeHandler: Handler<'VERIFICATION_SUBMIT_CODE'> = {
  batchMax: 1,
  concurrency: 64,
  handle: each(async (context, request) => {
    const { db, limits } = context;
    const { connection_id, address } = request.params;
    // A second run counts against no limit.
    const before = await readOutcome(db, 'verification_submit_code', {
      request_id: request.request_id,
      connection_id,
    });
    if (before !== undefined) return outcomeOf(await outcomeOfFirstRun(context, request));
    if (!(await limits.submitAllowed({ address }))) return refusal('tooManyAttempts');
    const outcome = await compareOrCheck(context, request);
    if (countedAgainstLimit.includes(outcome)) await limits.submitFailed({ address });
    return outcomeOf(outcome);
  }),
};

async function compareOrCheck(context: Context, request: Submission): Promise<ChallengeOutcome> {
  const { config, db, credentialHash, deadlines } = context;
  const { connection_id, verification_code } = request.params;
  const challenge = await readChallenge(db, connection_id);
  if (challenge?.code_hash === null) return check(context, request, challenge.sid);
  const credential_hash = credentialHash(challenge?.sid ?? '', verification_code);
  const attempts_max = config.VERIFICATION_ATTEMPTS_MAX;
  const outcome = await verificationSubmitCode(
    db,
    {
      request_id: request.request_id,
      connection_id,
      code_hash: credential_hash,
      credential_hash,
      attempts_max,
    },
    deadlines.of(request),
  );
  if (outcome === 'right') countConverted(context, challenge?.sid ?? '');
  return outcome;
}

/** A code that was sent is a credential now. */
function countConverted({ metrics }: Context, sid: string): void {
  const [country_code = ''] = sid.split('.');
  metrics.codes.inc({ country_code, event: 'converted' });
}

async function check(context: Context, request: Submission, sid: string): Promise<ChallengeOutcome> {
  const { config, db, provider, credentialHash, deadlines } = context;
  const { connection_id, verification_code } = request.params;
  const key = { request_id: request.request_id, connection_id, sid };
  const attempts_max = config.VERIFICATION_ATTEMPTS_MAX;
  const begun = await beginCheck(db, { ...key, attempts_max }, deadlines.of(request));
  if (begun === 'under_way') return outcomeOfFirstRun(context, request);
  if (begun !== 'begun') return begun;

  const [countryCode = '', phoneNumber = ''] = sid.split('.');
  const timeMs = providerTimeMs(context, request);
  const checked = await provider.check({ countryCode, phoneNumber }, verification_code, timeMs);
  const credential_hash = credentialHash(sid, verification_code);
  const outcome = outcomes[checked];
  if (outcome === 'right') countConverted(context, sid);
  return stored(context, request, () => finishCheck(db, { ...key, outcome, credential_hash }));
}

function outcomeOfFirstRun(context: Context, request: Submission): Promise<ChallengeOutcome> {
  const key = { request_id: request.request_id, connection_id: request.params.connection_id };
  return settled<ChallengeOutcome>(context, request, () =>
    settleOutcome(context.db, 'verification_submit_code', key, 'unavailable', abandonedAfterMs(context)),
  );
}

function outcomeOf(outcome: ChallengeOutcome) {
  if (outcome === 'under_way') return undefined;
  return outcome === 'right' ? success({}) : refusal(refusals[outcome]);
}
