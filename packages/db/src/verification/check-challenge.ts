import type { Db } from '../session/db.ts';
import { withinDeadline } from '../statements/deadline.sql.ts';
import { callFunction } from '../statements/statement.ts';
import {
  type AnonymousRequest,
  anonymousRequestId,
  type ChallengeAnswer,
  type ChallengeOutcome,
} from './anonymous-request.ts';
import type { NewCredential } from './verification-submit-code.ts';

/** Of a code that a provider keeps: `sid` is the one that the connection requested a code for. */
type ChallengeCheck = AnonymousRequest & { readonly sid: string };

const beginStatement = {
  name: 'verification_begin_check',
  text: `SELECT outcome, ${withinDeadline('$5')} FROM verification_begin_check($1, $2, $3, $4) AS f (outcome)`,
};

const endStatement = {
  name: 'verification_end_check',
  text: 'SELECT verification_end_check($1, $2, $3, $4, $5, $6, $7) AS answer',
};

/**
 * Decides whether the provider may be asked about a code, and counts that as an attempt. `begun`: this run asks it, and
 * then calls endCheck. Anything else is the outcome that stands.
 */
export async function beginCheck(
  db: Db,
  check: ChallengeCheck & { readonly attempts_max: number },
  deadline: number | null = null,
): Promise<ChallengeOutcome | 'begun'> {
  const request_id = anonymousRequestId('verification_submit_code', check);
  const values = [request_id, check.connection_id, check.sid, check.attempts_max, deadline];
  return (await callFunction<{ outcome: ChallengeOutcome | 'begun' }>(db, beginStatement, values)).outcome;
}

/**
 * Puts what the provider said into effect, in one transaction with the request's answer. It has no deadline: if the
 * submission was given up meanwhile, it has its answer, and nothing happens here.
 *
 * @returns the answer that stands
 */
export async function endCheck(
  db: Db,
  check: ChallengeCheck & NewCredential & { readonly outcome: ChallengeOutcome },
): Promise<ChallengeAnswer> {
  const { connection_id, sid, outcome, credential_hash, token_hash, key } = check;
  const request_id = anonymousRequestId('verification_submit_code', check);
  const values = [request_id, connection_id, sid, outcome, credential_hash, token_hash, key];
  return (await callFunction<{ answer: ChallengeAnswer }>(db, endStatement, values)).answer;
}
