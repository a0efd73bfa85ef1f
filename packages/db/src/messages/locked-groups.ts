import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

const statement = {
  name: 'locked_groups',
  text: `
SELECT id FROM "group" WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`,
};

/**
 * Which of these groups' rows are locked at this moment, so that a message or a change would wait. It locks the others,
 * and releases them at once.
 */
export async function lockedGroups(db: Db, groupIds: readonly number[]): Promise<Set<number>> {
  const locked = new Set(groupIds);
  for (const { id } of await runStatement<{ id: number }>(db, statement, [[...locked]])) locked.delete(id);
  return locked;
}
