import type { Db } from '../session/db.ts';
import { withinDeadline } from '../statements/deadline.sql.ts';
import { callFunction } from '../statements/statement.ts';
import { type AnonymousRequest, anonymousRequestId, type ChallengeAnswer } from './anonymous-request.ts';

/** What a right code makes, replacing what was before. */
export type NewCredential = {
  readonly credential_hash: Buffer;
  readonly token_hash: Buffer;
  /** Names the key from which the token is made. */
  readonly key: string;
};

type ChallengeSubmission = AnonymousRequest &
  NewCredential & {
    /** The submitted code, hashed with each of the keys in force. */
    code_hashes: readonly Buffer[];
    attempts_max: number;
  };

const statement = {
  name: 'verification_compare_code',
  text: `SELECT answer, ${withinDeadline('$8')}
  FROM verification_compare_code($1, $2, $3, $4, $5, $6, $7) AS f (answer)`,
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
): Promise<ChallengeAnswer> {
  const { connection_id, code_hashes, credential_hash, token_hash, key, attempts_max } = submission;
  // Of nothing that was read from the challenge: a right code uses it up, and a second run does not find it.
  const request_id = anonymousRequestId('verification_submit_code', submission);
  const values = [
    request_id,
    connection_id,
    code_hashes,
    credential_hash,
    token_hash,
    key,
    attempts_max,
    deadline,
  ];
  return (await callFunction<{ answer: ChallengeAnswer }>(db, statement, values)).answer;
}
