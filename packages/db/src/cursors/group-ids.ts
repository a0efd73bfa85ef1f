import type { Db } from '../db.ts';
import { runStatement } from '../statement.ts';
import { undeliveredClosed } from '../sweep/undelivered-closed.sql.ts';

/** $1: people. */
const statement = {
  name: 'read_open_cursors',
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

/** The groups that replayGroups would name, for each of these people, in ascending order, with their cursors. */
export async function readGroupIds(db: Db, userIds: readonly number[]): Promise<OpenCursor[][]> {
  if (userIds.length === 0) return [];
  const rows = await runStatement<OpenCursor & { ord: number }>(db, statement, [userIds]);
  const cursors: OpenCursor[][] = userIds.map(() => []);
  for (const { ord, group_id, delivered_seq } of rows) cursors[ord - 1]?.push({ group_id, delivered_seq });
  for (const list of cursors) list.sort((a, b) => a.group_id - b.group_id);
  return cursors;
}
