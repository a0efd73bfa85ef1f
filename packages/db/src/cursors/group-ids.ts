import type { Db } from '../session/db.ts';
import { rowsByPlace, runStatement } from '../statements/statement.ts';
import { undeliveredClosed } from '../sweep/undelivered-closed.sql.ts';

/** $1: users. */
const statement = {
  name: 'group_ids',
  text: `
SELECT w.ord, m.group_id, m.delivered_seq
FROM unnest($1::bigint[]) WITH ORDINALITY AS w (user_id, ord)
CROSS JOIN LATERAL (
  SELECT m.group_id, m.delivered_seq FROM group_member m JOIN "group" g ON g.id = m.group_id
  WHERE m.user_id = w.user_id AND (NOT g.closed OR ${undeliveredClosed})
  OFFSET 0
) m`,
};

export type OpenCursor = { group_id: number; delivered_seq: number };

/** The groups that replayGroups would name, for each of these users, in ascending order, with their cursors. */
export async function readGroupIds(db: Db, userIds: readonly number[]): Promise<OpenCursor[][]> {
  if (userIds.length === 0) return [];
  const rows = await runStatement<OpenCursor & { ord: number }>(db, statement, [userIds]);
  return rowsByPlace(userIds, rows).map((cursors) => cursors.sort((a, b) => a.group_id - b.group_id));
}
