import type { GroupState, GroupVersion } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { withinDeadline } from '../statements/deadline.sql.ts';
import { callFunction } from '../statements/statement.ts';
import { groupFingerprints } from './fingerprint.ts';
import { readChange } from './read-state.ts';

type GroupAddMemberRequest = {
  request_id: string;
  /** The client chose the id, and may have used it before. */
  repeatable: boolean;
  user_id: number;
  group_id: number;
  member_sid: string;
};

type Refusal = {
  ok: false;
  /** `failed`: it was given up, and never happens. */
  reason: 'id_used' | 'not_member' | 'closed' | 'user_unknown' | 'direct_message' | 'failed';
};

type GroupAddMemberOutcome =
  /** `state` null: the user was a member already, nothing changed and nobody needs to receive it. */
  { ok: true; state: GroupState | GroupVersion | null; added_user_id: number } | Refusal;

type Row = {
  answer: { ok: true; added_user_id: number; changed: boolean } | Refusal;
  state: GroupState | null;
};

const statement = {
  name: 'group_add_member',
  text: `SELECT answer, state, ${withinDeadline('$7')} FROM group_add_member($1, $2, $3, $4, $5, $6)`,
};

/**
 * Adds a user to a group of the caller's, who gets what is stored from now on. Run again with the same
 * request_id it changes nothing and answers the same, with the group's state as it is now.
 */
export async function groupAddMember(
  db: Db,
  request: GroupAddMemberRequest,
  deadline: number | null = null,
): Promise<GroupAddMemberOutcome> {
  const { request_id, repeatable, user_id, group_id, member_sid } = request;
  const asked = groupFingerprints.add(group_id, member_sid);
  const values = [user_id, request_id, repeatable, asked, group_id, member_sid, deadline];
  const { answer, state } = await callFunction<Row>(db, statement, values);
  if (!answer.ok) return answer;
  const { added_user_id, changed } = answer;
  return { ok: true, added_user_id, state: changed ? (state ?? (await readChange(db, group_id))) : null };
}
