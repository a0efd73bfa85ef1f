import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

const portion = 5_000;

const challengesStatement = {
  name: 'delete_expired_challenges',
  text: `
WITH gone AS (DELETE FROM verification_challenge WHERE date_expires < now() RETURNING connection_id)
SELECT count(*)::int AS count FROM gone`,
};

const requestsStatement = {
  name: 'delete_old_requests_of_nobody',
  text: `
WITH gone AS (
  DELETE FROM request WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM request WHERE user_id = 0 AND date_created < now() - interval '1 day' LIMIT ${portion}))
  RETURNING request_id
)
SELECT count(*)::int AS count FROM gone`,
};

/**
 * Deletes challenges that have expired, and the requests of nobody that asked for them or submitted to them
 * once no second run of theirs can come any more. To be run now and then, by anybody.
 *
 * @returns how many challenges went
 */
export async function deleteExpiredChallenges(db: Db): Promise<number> {
  const count = await countOf(db, challengesStatement);
  // In portions, so that the first one after a long pause does not run into the statement's timeout.
  while ((await countOf(db, requestsStatement)) === portion);
  return count;
}

async function countOf(db: Db, statement: typeof challengesStatement): Promise<number> {
  const [row] = await runStatement<{ count: number }>(db, statement, []);
  return row?.count ?? 0;
}
