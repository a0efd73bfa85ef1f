import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

const statement = {
  name: 'count_members',
  text: `
SELECT count(*)::int AS members
FROM (SELECT FROM group_member m WHERE m.group_id = $2 LIMIT $3) counted
WHERE EXISTS (SELECT FROM group_member m WHERE m.group_id = $2 AND m.user_id = $1)`,
};

/** How many members a group has, counted up to a number; 0 if the user is not one of them, or there is no such group. */
export async function countMembers(
  db: Db,
  { user_id, group_id, upTo }: { user_id: number; group_id: number; upTo: number },
): Promise<number> {
  const [row] = await runStatement<{ members: number }>(db, statement, [user_id, group_id, upTo]);
  return row?.members ?? 0;
}
