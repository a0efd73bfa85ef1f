import type { StoredCursor } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

/** $1, $2: users and groups. */
const statement = {
  name: 'read_cursors',
  text: `
SELECT m.user_id, m.group_id, m.delivered_seq, m.delivered_version, m.retried_version
FROM unnest($1::bigint[], $2::bigint[]) AS w (user_id, group_id)
CROSS JOIN LATERAL (
  SELECT * FROM group_member m WHERE m.group_id = w.group_id AND m.user_id = w.user_id OFFSET 0
) m`,
};

/** The stored cursors of these users in these groups, in no order; none where a user is no member. */
export async function readCursors(
  db: Db,
  pairs: readonly (readonly [user_id: number, group_id: number])[],
): Promise<StoredCursor[]> {
  if (pairs.length === 0) return [];
  return runStatement<StoredCursor>(db, statement, [
    pairs.map(([userId]) => userId),
    pairs.map(([, groupId]) => groupId),
  ]);
}
