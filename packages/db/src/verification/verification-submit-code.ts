import type { Db } from '../session/db.ts';
import { withinDeadline } from '../statements/deadline.sql.ts';
import { callFunction } from '../statements/statement.ts';
import { type AnonymousRequest, anonymousRequestId, type ChallengeOutcome } from './anonymous-request.ts';

type ChallengeSubmission = AnonymousRequest & {
  code_hash: Buffer;
  /** What becomes the user's credential, replacing the old one, if the code is right. */
  credential_hash: Buffer;
  attempts_max: number;
};

const statement = {
  name: 'verification_submit_code',
  text: `SELECT outcome, ${withinDeadline('$6')} FROM verification_submit_code($1, $2, $3, $4, $5) AS f (outcome)`,
};

/**
 * Checks a code that we made against the latest challenge of its connection, in one transaction. Right: the user exists
 * from now on, with the credential, and the challenge is used up. Wrong: an attempt is. Run again with the same
 * request_id it answers the same and changes nothing.
 */
export async function verificationSubmitCode(
  db: Db,
  submission: ChallengeSubmission,
  deadline: number | null = null,
): Promise<ChallengeOutcome> {
  const { connection_id, code_hash, credential_hash, attempts_max } = submission;
  // Of nothing that was read from the challenge: a right code uses it up, and a second run does not find it.
  const request_id = anonymousRequestId('verification_submit_code', submission);
  const values = [request_id, connection_id, code_hash, credential_hash, attempts_max, deadline];
  return (await callFunction<{ outcome: ChallengeOutcome }>(db, statement, values)).outcome;
}
