import { randomUUID } from 'node:crypto';
import type { GroupState, GroupVersion } from '@hooligram/contract';
import { groupLeave } from '../groups/group-leave.ts';
import type { Db } from '../session/db.ts';
import { callFunction, runStatement } from '../statements/statement.ts';

const endStatement = { name: 'credential_end', text: 'SELECT credential_end($1) AS version' };
const deleteStatement = { name: 'user_delete', text: 'SELECT user_delete($1) AS version' };
const groupsStatement = {
  name: 'read_memberships',
  text: 'SELECT group_id FROM group_member WHERE user_id = $1 ORDER BY group_id LIMIT 500',
};
const forgetStatement = {
  name: 'forget_requests',
  text: `WITH forgotten AS (
      DELETE FROM request WHERE (user_id, request_id) IN (
        SELECT user_id, request_id FROM request WHERE user_id = $1 LIMIT 5000)
      RETURNING 1
    ) SELECT count(*)::int AS count FROM forgotten`,
};

export type UserDeletion = {
  /** The sessions of an earlier credential end. Called at the beginning and at the end. */
  onCredentialEnded(version: number): Promise<void>;
  /** The user has left a group, and its members have to be sent its state. */
  onLeft(state: GroupState | GroupVersion): Promise<void>;
};

/**
 * Deletes a user's account: nobody can sign in as them, they leave all groups, closed ones too, and their number, what
 * their credentials were compared with, and the record of their requests go. What they wrote stays with those who have
 * it, from a sid that is no number. Many transactions: when one fails, run it again with the id of the user.
 *
 * @returns how many groups were left
 */
export async function userDelete(
  db: Db,
  user_id: number,
  { onCredentialEnded, onLeft }: UserDeletion,
): Promise<number> {
  // Before the rest, so that no session and no sign-in undoes it.
  const ended = await versionOf(db, endStatement, user_id);
  if (ended !== null) await onCredentialEnded(ended);
  let left = 0;
  for (;;) {
    const groups = await runStatement<{ group_id: number }>(db, groupsStatement, [user_id]);
    for (const { group_id } of groups) {
      const outcome = await groupLeave(db, {
        request_id: randomUUID(),
        repeatable: false,
        user_id,
        group_id,
      });
      if (!outcome.ok) continue;
      left += 1;
      await onLeft(outcome.state);
    }
    if (groups.length > 0) continue;
    const version = await versionOf(db, deleteStatement, user_id);
    if (version === null && (await isMember(db, user_id))) continue;
    if (version !== null) await onCredentialEnded(version);
    await forgetRequests(db, user_id);
    return left;
  }
}

async function versionOf(db: Db, statement: typeof endStatement, user_id: number): Promise<number | null> {
  return (await callFunction<{ version: number | null }>(db, statement, [user_id])).version;
}

/** Somebody has added the user meanwhile. */
async function isMember(db: Db, user_id: number): Promise<boolean> {
  return (await runStatement(db, groupsStatement, [user_id])).length > 0;
}

/** In portions: a user of many years has made many. */
async function forgetRequests(db: Db, user_id: number): Promise<void> {
  let count: number;
  do {
    count = (await callFunction<{ count: number }>(db, forgetStatement, [user_id])).count;
  } while (count > 0);
}
