import type { Db } from './db.ts';
import { runStatement } from './statement.ts';
import { undeliveredClosed } from './undelivered-closed.sql.ts';

/** $1: people. */
const statement = {
  name: 'read_group_ids',
  text: `
SELECT w.ord, m.group_id
FROM unnest($1::bigint[]) WITH ORDINALITY AS w (user_id, ord)
CROSS JOIN LATERAL (
  SELECT m.group_id FROM group_member m JOIN "group" g ON g.id = m.group_id
  WHERE m.user_id = w.user_id AND (NOT g.closed OR ${undeliveredClosed})
  OFFSET 0
) m`,
};

/** The ids of the groups that readMemberships would name, for each of these people, in ascending order. */
export async function readGroupIds(db: Db, userIds: readonly number[]): Promise<number[][]> {
  if (userIds.length === 0) return [];
  const rows = await runStatement<{ ord: number; group_id: number }>(db, statement, [userIds]);
  const groupIds: number[][] = userIds.map(() => []);
  for (const { ord, group_id } of rows) groupIds[ord - 1]?.push(group_id);
  for (const list of groupIds) list.sort((a, b) => a - b);
  return groupIds;
}
