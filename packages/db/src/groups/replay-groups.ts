import type { Membership } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { rowsByPlace, runStatement } from '../statements/statement.ts';
import { undeliveredClosed } from '../sweep/undelivered-closed.sql.ts';

type MembershipQuestion = { user_id: number; group_ids: readonly number[] };

/** $1, $2, $3: place, user and group of each question. */
const statement = {
  name: 'replay_groups',
  text: `
SELECT w.ord, m.group_id, g.version, g.closed, m.joined_seq, g.last_seq, m.delivered_seq, m.delivered_version,
  m.retried_version
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (ord, user_id, group_id)
CROSS JOIN LATERAL (
  SELECT * FROM group_member m WHERE m.group_id = w.group_id AND m.user_id = w.user_id OFFSET 0
) m
JOIN "group" g ON g.id = m.group_id
WHERE NOT g.closed OR ${undeliveredClosed}`,
};

/**
 * Where these users stand in their groups, each user's ordered by group_id. A closed group counts only while something
 * of it is undelivered.
 */
export async function replayGroups(
  db: Db,
  questions: readonly MembershipQuestion[],
): Promise<Membership[][]> {
  if (questions.length === 0) return [];
  const asked = questions.flatMap(({ user_id, group_ids }, at) =>
    [...new Set(group_ids)].map((group_id) => [at + 1, user_id, group_id] as const),
  );
  const rows = await runStatement<Membership & { ord: number }>(db, statement, [
    asked.map(([ord]) => ord),
    asked.map(([, user]) => user),
    asked.map(([, , group]) => group),
  ]);
  return rowsByPlace(questions, rows).map((found) => found.sort((a, b) => a.group_id - b.group_id));
}
