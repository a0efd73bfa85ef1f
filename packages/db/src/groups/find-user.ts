import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

const statement = {
  name: 'find_user',
  text: 'SELECT id AS user_id, sid FROM "user" WHERE sid = $1 OR id = $2',
};

/** A user by sid or by id. @returns undefined if there is none */
export async function findUser(
  db: Db,
  user: string | number,
): Promise<{ readonly user_id: number; readonly sid: string } | undefined> {
  const values = typeof user === 'string' ? [user, null] : [null, user];
  const [found] = await runStatement<{ user_id: number; sid: string }>(db, statement, values);
  return found;
}
