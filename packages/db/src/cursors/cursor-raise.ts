import type { Cursor } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { isInEpoch } from '../session/epoch.sql.ts';
import { rerun, runStatement } from '../statements/statement.ts';

/**
 * $1 groups, $2 users, $3 seqs, $4 versions; each key once. $5: the epoch in which they were acknowledged: in another
 * one the same seqs are other messages. Checked here, because the epoch may change on the way. An UPDATE ... FROM locks
 * its rows in any order, and two cores with cursors of the same users would deadlock: the rows that change are locked
 * first, in the order of their keys. Never beyond what the group has; what was acknowledged had been committed before, so the
 * snapshot knows it. The group comes by LATERAL ... OFFSET 0: as a join it would tempt the planner to look up a
 * member by the group alone, which reads all members of a large one.
 */
const statement = {
  name: 'cursor_raise',
  text: `
WITH locked AS MATERIALIZED (
  SELECT m.group_id, m.user_id,
    least(c.delivered_seq, g.last_seq) AS delivered_seq,
    least(c.delivered_version, g.version) AS delivered_version
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
    AS c (group_id, user_id, delivered_seq, delivered_version)
  JOIN group_member m ON m.group_id = c.group_id AND m.user_id = c.user_id
  CROSS JOIN LATERAL (SELECT g.last_seq, g.version FROM "group" g WHERE g.id = m.group_id OFFSET 0) g
  WHERE (c.delivered_seq > m.delivered_seq OR c.delivered_version > m.delivered_version)
    AND ${isInEpoch('$5')}
  ORDER BY m.group_id, m.user_id
  FOR NO KEY UPDATE OF m
)
UPDATE group_member m
SET delivered_seq = greatest(m.delivered_seq, l.delivered_seq),
  delivered_version = greatest(m.delivered_version, l.delivered_version)
FROM locked l
WHERE m.group_id = l.group_id AND m.user_id = l.user_id`,
};

/**
 * Raises cursors; lower ones than those stored, those of users who are not members, and those of another epoch
 * change nothing.
 */
export async function cursorRaise(db: Db, cursors: readonly Cursor[], epoch = 0): Promise<void> {
  if (cursors.length === 0) return;
  const merged = [...highest(cursors).values()];
  const values = [
    merged.map((cursor) => cursor.group_id),
    merged.map((cursor) => cursor.user_id),
    merged.map((cursor) => cursor.delivered_seq),
    merged.map((cursor) => cursor.delivered_version),
    epoch,
  ];
  await rerun(db, () => runStatement(db, statement, values));
}

function highest(cursors: readonly Cursor[]): Map<string, Cursor> {
  const merged = new Map<string, Cursor>();
  for (const cursor of cursors) {
    const key = `${cursor.group_id} ${cursor.user_id}`;
    const other = merged.get(key) ?? cursor;
    merged.set(key, {
      ...cursor,
      delivered_seq: Math.max(cursor.delivered_seq, other.delivered_seq),
      delivered_version: Math.max(cursor.delivered_version, other.delivered_version),
    });
  }
  return merged;
}
