import type { Db } from './db.ts';
import { withinDeadline } from './deadline.sql.ts';
import { anonymousRequestId } from './fingerprint.ts';
import { rerun } from './rerun.ts';
import { runStatement } from './statement.ts';

export type ChallengeSubmission = {
  request_id: string;
  connection_id: string;
  /** What becomes the person's credential, replacing the old one, if the code is right. */
  credential_hash: Buffer;
  attempts_max: number;
} & (
  | { code_hash: Buffer }
  /**
   * An outside provider has approved the code for `sid`. The person is named, because the connection may have
   * asked for somebody else's code since. A code that the provider refused is submitted as an empty hash.
   */
  | { code_hash: null; sid: string }
);

/** `none`: the connection asked for no code. `failed`: the submission was given up, and never happens. */
export type ChallengeVerdict = 'right' | 'wrong' | 'expired' | 'none' | 'too_many' | 'failed';

const statement = {
  name: 'submit_challenge',
  text: `SELECT verdict, ${withinDeadline('$7')} FROM submit_challenge($1, $2, $3, $4, $5, $6) AS f (verdict)`,
};

/**
 * Judges a code against the latest challenge of its connection, in one transaction. Right: the person exists
 * from now on, with the credential, and the challenge is used up. Wrong: an attempt is. Run again with the same
 * request_id it answers the same and changes nothing.
 */
export async function submitChallenge(
  db: Db,
  submission: ChallengeSubmission,
  deadline: number | null = null,
): Promise<ChallengeVerdict> {
  const { connection_id, code_hash, credential_hash, attempts_max } = submission;
  const sid = submission.code_hash === null ? submission.sid : null;
  // Of nothing that was read from the challenge: a right code uses it up, and a second run does not find it.
  const request_id = anonymousRequestId('submit_challenge', submission);
  const values = [request_id, connection_id, sid, code_hash, credential_hash, attempts_max, deadline];
  const [row] = await rerun(() => runStatement<{ verdict: ChallengeVerdict }>(db, statement, values));
  return (row as { verdict: ChallengeVerdict }).verdict;
}
