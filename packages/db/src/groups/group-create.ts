import type { GroupState } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { withinDeadline } from '../statements/deadline.sql.ts';
import { callFunction, rerun, runStatement } from '../statements/statement.ts';
import { groupFingerprints } from './fingerprint.ts';
import { readState } from './read-state.ts';

type GroupCreateRequest = {
  request_id: string;
  /** The client chose the id, and may have used it before. */
  repeatable: boolean;
  user_id: number;
  sid: string;
  group_name: string;
  member_sids: readonly string[];
};

type Refusal = { ok: false; reason: 'id_used' | 'failed' };

/** `group_id`: of a new group, or of the pair's open direct message. */
type GroupCreateOutcome = { ok: true; group_id: number; state: GroupState } | Refusal;

type Row = { answer: { ok: true; group_id: number } | Refusal; state: GroupState | null };

const statement = {
  name: 'group_create',
  text: `SELECT answer, state, ${withinDeadline('$7')} FROM group_create($1, $2, $3, $4, $5, $6)`,
};

/** The users of a larger group are inserted so many at a time, before it is created. */
const portion = 500;

const addUsers = {
  name: 'add_users',
  text: `
INSERT INTO "user" (sid)
SELECT s.sid COLLATE "C" FROM unnest($1::text[]) AS s (sid)
WHERE NOT EXISTS (SELECT FROM "user" u WHERE u.sid = s.sid COLLATE "C")
ORDER BY 1
ON CONFLICT (sid) DO NOTHING`,
};

/**
 * Creates a group of the caller and `member_sids`, at least two users together, and the users that are new. Two are
 * a direct message, of which a pair has at most one open. Run again with the same request_id
 * it answers the same, with the group's state as it is now.
 *
 * Thousands of new users are inserted in portions, each committed by itself: nobody else who names one of them waits for
 * all of them, and none of the statements is long. If the group is not created then, they are users whom nobody knows.
 */
export async function groupCreate(
  db: Db,
  request: GroupCreateRequest,
  deadline: number | null = null,
): Promise<GroupCreateOutcome> {
  const { request_id, repeatable, user_id, sid, group_name, member_sids } = request;
  const sids = [...new Set([sid, ...member_sids])].sort();
  const asked = groupFingerprints.create(group_name, sids);
  const values = [user_id, request_id, repeatable, asked, group_name, sids, deadline];
  for (let from = 0; sids.length > portion && from < sids.length; from += portion) {
    await rerun(db, () => runStatement(db, addUsers, [sids.slice(from, from + portion)]));
  }
  const { answer, state } = await callFunction<Row>(db, statement, values);
  if (!answer.ok) return answer;
  return { ok: true, group_id: answer.group_id, state: state ?? (await readState(db, answer.group_id)) };
}
