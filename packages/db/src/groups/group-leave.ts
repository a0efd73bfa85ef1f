import { type GroupState, type GroupVersion, publishedMembersMax } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { withinDeadline } from '../statements/deadline.sql.ts';
import { callFunction } from '../statements/statement.ts';
import { groupFingerprints } from './fingerprint.ts';
import { readChange } from './read-state.ts';

type GroupLeaveRequest = {
  request_id: string;
  /** The client chose the id, and may have used it before. */
  repeatable: boolean;
  user_id: number;
  group_id: number;
};

type Refusal = { ok: false; reason: 'id_used' | 'not_member' | 'failed' };

/** `state`: without the one who left; closed if fewer than two remain. */
type GroupLeaveOutcome = { ok: true; state: GroupState | GroupVersion } | Refusal;

type Row = { answer: { ok: true } | Refusal; state: GroupState | null };

const statement = {
  name: 'group_leave',
  text: `SELECT answer, state, ${withinDeadline('$6')} FROM group_leave($1, $2, $3, $4, $5)`,
};

/**
 * Removes the caller from a group, closed or not. Run again with the same request_id it changes nothing and
 * answers the same, with the group's state as it is now, which may name them again.
 *
 * @param membersMax of a group that has more the members are not read
 */
export async function groupLeave(
  db: Db,
  request: GroupLeaveRequest,
  deadline: number | null = null,
  membersMax = publishedMembersMax,
): Promise<GroupLeaveOutcome> {
  const { request_id, repeatable, user_id, group_id } = request;
  const values = [user_id, request_id, repeatable, groupFingerprints.leave(group_id), group_id, deadline];
  const { answer, state } = await callFunction<Row>(db, statement, values);
  return answer.ok ? { ok: true, state: state ?? (await readChange(db, group_id, membersMax)) } : answer;
}
