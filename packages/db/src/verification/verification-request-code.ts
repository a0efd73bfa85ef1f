import type { Db } from '../db.ts';
import { withinDeadline } from '../deadline.sql.ts';
import { anonymousRequestId } from '../groups/fingerprint.ts';
import { rerun } from '../rerun.ts';
import { runStatement } from '../statement.ts';

export type ChallengeRequest = {
  request_id: string;
  connection_id: string;
  sid: string;
  /** Null: an outside provider keeps the code. */
  code_hash: Buffer | null;
  ttl_ms: number;
};

const statement = {
  name: 'record_challenge',
  text: `SELECT is_new, ${withinDeadline('$6')},
    CASE WHEN is_new THEN answer_request(0, $1, '{"verdict": "under_way"}') END
  FROM record_challenge($1, $2, $3, $4, $5) AS f (is_new)`,
};

/**
 * Records that a connection asked for a code: the latest counts, and has all its attempts before it. Touches no
 * person. To be called before the provider is: a second run of the request is told so (`is_new` false), changes
 * nothing, and must not send another code. The request is under way until settleCodeOutcome is called.
 */
export async function verificationRequestCode(
  db: Db,
  request: ChallengeRequest,
  deadline: number | null = null,
): Promise<{ is_new: boolean }> {
  const { connection_id, sid, code_hash, ttl_ms } = request;
  const request_id = anonymousRequestId('record_challenge', request);
  const values = [request_id, connection_id, sid, code_hash, ttl_ms, deadline];
  const [row] = await rerun(() => runStatement<{ is_new: boolean }>(db, statement, values));
  return { is_new: row?.is_new === true };
}
