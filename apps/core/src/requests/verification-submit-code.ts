import { type Challenge, readChallenge, readVerdict, submitChallenge } from '@hooligram/db';
import type { Context } from '../context.ts';
import { each, type Handler, refusal, success } from './handler.ts';

const refusals = {
  wrong: 'wrongCode',
  expired: 'codeExpired',
  none: 'noCodeRequested',
  too_many: 'tooManyAttempts',
  tooMany: 'tooManyAttempts',
  unavailable: 'serverBusy',
  failed: 'internalError',
} as const;

/** Makes a right code the number's credential. Only the connection that asked for a code can submit one. */
export const verificationSubmitCode: Handler<'VERIFICATION_SUBMIT_CODE'> = {
  batchMax: 1,
  concurrency: 4,
  run: each(async (context, asked) => {
    const { request_id, params } = asked;
    const { config, db, limits, credentialHash } = context;
    const { connection_id, address, verification_code } = params;
    const standing = await readVerdict(db, { request_id, connection_id });
    if (standing) return standing === 'right' ? success({}) : refusal(refusals[standing]);

    const challenge = await readChallenge(db, connection_id);
    const asker = { sid: challenge?.sid ?? '', address };
    if (!(await limits.submitAllowed(asker))) return refusal('tooManyAttempts');

    const credential_hash = credentialHash(asker.sid, verification_code);
    const proof = await proofOf(context, challenge, verification_code, credential_hash);
    if (typeof proof === 'string') return refusal(refusals[proof]);
    const attempts_max = config.VERIFICATION_ATTEMPTS_MAX;
    const verdict = await submitChallenge(
      db,
      { request_id, connection_id, credential_hash, attempts_max, ...proof },
      context.deadlines.of(asked),
    );
    // A guess is what was compared: who comes too late, or asked for no code, learns nothing.
    if (verdict === 'wrong') await limits.submitFailed(asker);
    return verdict === 'right' ? success({}) : refusal(refusals[verdict]);
  }),
};

type Proof = { code_hash: Buffer } | { code_hash: null; sid: string };

/** What there is to show for a code: its hash, or the word of the provider that made it. */
async function proofOf(
  { provider }: Context,
  challenge: Challenge | null,
  code: string,
  codeHash: Buffer,
): Promise<Proof | 'expired' | 'tooMany' | 'unavailable'> {
  if (!challenge || challenge.code_hash !== null) return { code_hash: codeHash };
  const { sid } = challenge;
  const [countryCode = '', phoneNumber = ''] = sid.split('.');
  const checked = await provider.check({ countryCode, phoneNumber }, code);
  if (checked === 'right') return { code_hash: null, sid };
  // Judged as wrong by us too, so that it counts as an attempt.
  return checked === 'wrong' ? { code_hash: Buffer.alloc(0) } : checked;
}
