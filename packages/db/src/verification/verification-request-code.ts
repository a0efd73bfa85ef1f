import type { Db } from '../session/db.ts';
import { withinDeadline } from '../statements/deadline.sql.ts';
import { callFunction } from '../statements/statement.ts';
import { type AnonymousRequest, anonymousRequestId } from './anonymous-request.ts';

type ChallengeRequest = AnonymousRequest & {
  sid: string;
  /** Null: a provider keeps the code. */
  code_hash: Buffer | null;
  ttl_ms: number;
};

const statement = {
  name: 'verification_request_code',
  text: `SELECT is_new, ${withinDeadline('$6')}
  FROM verification_request_code($1, $2, $3, $4, $5) AS f (is_new)`,
};

/**
 * Records that a connection requested a code: the latest counts, with all its attempts. Touches no user. Called before
 * the provider: a second run of the request learns that (`is_new` false), changes nothing, and must not send another
 * code. The request is under way until settleOutcome is called.
 */
export async function verificationRequestCode(
  db: Db,
  request: ChallengeRequest,
  deadline: number | null = null,
): Promise<{ is_new: boolean }> {
  const { connection_id, sid, code_hash, ttl_ms } = request;
  const request_id = anonymousRequestId('verification_request_code', request);
  const values = [request_id, connection_id, sid, code_hash, ttl_ms, deadline];
  const { is_new } = await callFunction<{ is_new: boolean }>(db, statement, values);
  return { is_new };
}
