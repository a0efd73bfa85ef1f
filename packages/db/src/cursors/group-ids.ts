import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';
import { undeliveredClosed } from '../sweep/undelivered-closed.sql.ts';

/** $1: users. One row of lists for each: as a row each, twenty thousand groups stop a core for a moment when they are read. */
const statement = {
  name: 'group_ids',
  text: `
SELECT w.ord, coalesce(m.group_ids, '[]') AS group_ids, coalesce(m.delivered_seqs, '[]') AS delivered_seqs
FROM unnest($1::bigint[]) WITH ORDINALITY AS w (user_id, ord)
CROSS JOIN LATERAL (
  SELECT json_agg(m.group_id) AS group_ids, json_agg(m.delivered_seq) AS delivered_seqs
  FROM (
    SELECT m.group_id, m.delivered_seq FROM group_member m JOIN "group" g ON g.id = m.group_id
    WHERE m.user_id = w.user_id AND (NOT g.closed OR ${undeliveredClosed})
    ORDER BY m.group_id
  ) m
) m`,
};

type Row = { ord: number; group_ids: number[]; delivered_seqs: number[] };

export type OpenCursor = { group_id: number; delivered_seq: number };

/** The groups that replayGroups would name, for each of these users, in ascending order, with their cursors. */
export async function readGroupIds(db: Db, userIds: readonly number[]): Promise<OpenCursor[][]> {
  if (userIds.length === 0) return [];
  const rows = await runStatement<Row>(db, statement, [userIds]);
  const found: OpenCursor[][] = userIds.map(() => []);
  for (const { ord, group_ids, delivered_seqs } of rows) {
    found[ord - 1] = group_ids.map((group_id, at) => ({ group_id, delivered_seq: delivered_seqs[at] ?? 0 }));
  }
  return found;
}
