import type { Db } from '../db.ts';
import { withinDeadline } from '../deadline.sql.ts';
import { anonymousRequestId } from '../groups/fingerprint.ts';
import { rerun } from '../rerun.ts';
import { runStatement } from '../statement.ts';
import type { AnonymousRequest } from './read-challenge-answer.ts';
import type { ChallengeOutcome } from './verification-submit-code.ts';

/** Of a code that an outside provider keeps: `sid` is whose code the connection had asked for. */
export type ChallengeCheck = AnonymousRequest & { readonly sid: string };

const beginStatement = {
  name: 'begin_check',
  text: `SELECT verdict, ${withinDeadline('$5')} FROM begin_check($1, $2, $3, $4) AS f (verdict)`,
};

const finishStatement = {
  name: 'finish_check',
  text: 'SELECT finish_check($1, $2, $3, $4, $5) AS verdict',
};

/**
 * Judges whether the provider may be asked about a code, and counts that as an attempt. `begun`: this run asks it, and
 * then calls finishCheck. Anything else is the verdict that stands.
 */
export async function beginCheck(
  db: Db,
  check: ChallengeCheck & { readonly attempts_max: number },
  deadline: number | null = null,
): Promise<ChallengeOutcome | 'begun'> {
  const { connection_id, sid, attempts_max } = check;
  const request_id = anonymousRequestId('submit_challenge', check);
  const values = [request_id, connection_id, sid, attempts_max, deadline];
  const [row] = await rerun(() =>
    runStatement<{ verdict: ChallengeOutcome | 'begun' }>(db, beginStatement, values),
  );
  return (row as { verdict: ChallengeOutcome | 'begun' }).verdict;
}

/**
 * Puts what the provider said into effect, in one transaction with the request's answer. It has no deadline: whoever
 * else has given the submission up meanwhile has answered it, and then nothing happens here.
 *
 * @returns the verdict that stands
 */
export async function finishCheck(
  db: Db,
  check: ChallengeCheck & { readonly verdict: ChallengeOutcome; readonly credential_hash: Buffer },
): Promise<ChallengeOutcome> {
  const { connection_id, sid, verdict, credential_hash } = check;
  const request_id = anonymousRequestId('submit_challenge', check);
  const values = [request_id, connection_id, sid, verdict, credential_hash];
  const [row] = await rerun(() => runStatement<{ verdict: ChallengeOutcome }>(db, finishStatement, values));
  return (row as { verdict: ChallengeOutcome }).verdict;
}
