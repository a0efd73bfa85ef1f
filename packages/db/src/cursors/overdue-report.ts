import { createHash } from 'node:crypto';
import type { Db } from '../session/db.ts';
import { rowsByPlace, runStatement } from '../statements/statement.ts';
import { dueBefore } from './due.sql.ts';

/** What a user should have acknowledged by now and has not, in the order of groups. */
export type UserOverdue = {
  readonly messages: {
    readonly groups: readonly number[];
    /** Equal for as long as these are the groups and nothing in any of them was acknowledged. */
    readonly mark: string;
  };
  /** With the version of each group's newest state. */
  readonly states: { readonly groups: readonly { readonly group_id: number; readonly version: number }[] };
};

/**
 * $1: users. $2: milliseconds after which something is due. Seqs have no gaps, so the oldest message that is
 * missing is found by its key: if that one is not due, none is.
 */
const statement = {
  name: 'overdue_report',
  text: `
SELECT w.ord, m.group_id, m.seq, g.version AS group_version,
  g.last_seq > m.seq AND EXISTS (
    SELECT FROM message x
    WHERE x.group_id = m.group_id AND x.seq = m.seq + 1 AND x.date_created <= ${dueBefore('$2')}
  ) AS owes_messages,
  g.version > m.version AND g.date_changed <= ${dueBefore('$2')} AS owes_state
FROM unnest($1::bigint[]) WITH ORDINALITY AS w (user_id, ord)
CROSS JOIN LATERAL (
  SELECT m.group_id, greatest(m.delivered_seq, m.joined_seq) AS seq,
    greatest(m.delivered_version, m.retried_version) AS version
  FROM group_member m WHERE m.user_id = w.user_id
  OFFSET 0
) m
CROSS JOIN LATERAL (
  SELECT g.last_seq, g.version, g.date_changed FROM "group" g
  WHERE g.id = m.group_id AND (g.last_seq > m.seq OR g.version > m.version)
  OFFSET 0
) g`,
};

type Row = {
  ord: number;
  group_id: number;
  seq: number;
  group_version: number;
  owes_messages: boolean;
  owes_state: boolean;
};

/** What is overdue for each of these users, in their order. */
export async function overdueReport(
  db: Db,
  userIds: readonly number[],
  deadlineMs: number,
): Promise<UserOverdue[]> {
  if (userIds.length === 0) return [];
  const rows = await runStatement<Row>(db, statement, [userIds, deadlineMs]);
  return rowsByPlace(userIds, rows).map((groups) => {
    groups.sort((a, b) => a.group_id - b.group_id);
    const messages = groups.filter((row) => row.owes_messages);
    const states = groups.filter((row) => row.owes_state);
    return {
      messages: {
        groups: messages.map(({ group_id }) => group_id),
        mark: markOf(messages.map(({ group_id, seq }) => [group_id, seq])),
      },
      states: {
        groups: states.map(({ group_id, group_version }) => ({ group_id, version: group_version })),
      },
    };
  });
}

function markOf(cursors: readonly (readonly [group_id: number, cursor: number])[]): string {
  return createHash('sha256').update(JSON.stringify(cursors)).digest('base64url').slice(0, 22);
}
