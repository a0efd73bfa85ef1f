import type { GroupState } from '@hooligram/contract';
import type { Db } from '../db.ts';
import { withinDeadline } from '../deadline.sql.ts';
import { rerun } from '../rerun.ts';
import { runStatement } from '../statement.ts';
import { groupFingerprints } from './fingerprint.ts';

export type GroupCreateRequest = {
  request_id: string;
  /** The client chose the id, and may have used it before. */
  repeatable: boolean;
  user_id: number;
  sid: string;
  group_name: string;
  member_sids: readonly string[];
};

export type GroupCreateOutcome =
  /** `created` false: the pair's open direct message was there already. */
  | { ok: true; group_id: number; state: GroupState; created: boolean }
  | { ok: false; reason: 'id_used' | 'failed' };

type Row = {
  answer: { ok: true; group_id: number; created: boolean } | { ok: false; reason: 'id_used' | 'failed' };
  state: GroupState;
};

const statement = {
  name: 'create_group',
  text: `SELECT answer, state, ${withinDeadline('$7')} FROM create_group($1, $2, $3, $4, $5, $6)`,
};

/**
 * Creates a group of the caller and `member_sids`, at least two people together, and the people whom nobody
 * knows yet. Two are a direct message, of which a pair has at most one open. Run again with the same request_id
 * it answers the same, with the group's state as it is now.
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
  const [row] = await rerun(() => runStatement<Row>(db, statement, values));
  const { answer, state } = row as Row;
  if (!answer.ok) return answer;
  return { ok: true, group_id: answer.group_id, state, created: answer.created };
}
