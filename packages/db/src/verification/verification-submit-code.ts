import type { Db } from '../db.ts';
import { withinDeadline } from '../deadline.sql.ts';
import { anonymousRequestId } from '../groups/fingerprint.ts';
import { rerun } from '../rerun.ts';
import { runStatement } from '../statement.ts';

export type ChallengeSubmission = {
  request_id: string;
  connection_id: string;
  code_hash: Buffer;
  /** What becomes the person's credential, replacing the old one, if the code is right. */
  credential_hash: Buffer;
  attempts_max: number;
};

/**
 * `none`: the connection asked for no code. `failed`: the submission was given up, and never happens. Of a code that an
 * outside provider keeps: `under_way`, it is being asked; `unavailable`, it did not say.
 */
export type ChallengeOutcome =
  | 'right'
  | 'wrong'
  | 'expired'
  | 'none'
  | 'too_many'
  | 'failed'
  | 'under_way'
  | 'unavailable';

const statement = {
  name: 'submit_challenge',
  text: `SELECT verdict, ${withinDeadline('$6')} FROM submit_challenge($1, $2, NULL, $3, $4, $5) AS f (verdict)`,
};

/**
 * Judges a code that we made against the latest challenge of its connection, in one transaction. Right: the person exists
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
  const request_id = anonymousRequestId('submit_challenge', submission);
  const values = [request_id, connection_id, code_hash, credential_hash, attempts_max, deadline];
  const [row] = await rerun(() => runStatement<{ verdict: ChallengeOutcome }>(db, statement, values));
  return (row as { verdict: ChallengeOutcome }).verdict;
}
