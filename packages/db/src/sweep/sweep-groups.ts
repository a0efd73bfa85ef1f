import type { DeliveryCheck } from '@hooligram/contract';
import { auditColumns } from '../cursors/due.sql.ts';
import type { Db } from '../db.ts';
import { runStatement } from '../statement.ts';

/**
 * $1: after which group. $2: groups at most. $3: milliseconds after which something is due. The groups come by
 * their key, and of each its members by theirs, until the first one who lags: the work of a page is bounded by
 * its groups and their members, however many groups there are. One more row (`group_id` null) says where it ends.
 */
const statement = {
  name: 'sweep_groups',
  text: `
WITH page AS MATERIALIZED (
  SELECT g.id, g.version, g.last_seq, g.date_changed FROM "group" g
  WHERE g.id > $1::bigint
  ORDER BY g.id
  LIMIT $2::bigint
)
SELECT NULL::bigint AS group_id, max(p.id) AS version, count(*) AS last_seq,
  NULL::bigint AS due_seq, NULL::bigint AS due_version
FROM page p
UNION ALL
SELECT ${auditColumns('$3')}
FROM page g
WHERE EXISTS (
  SELECT FROM (
    SELECT m.joined_seq, m.delivered_seq, m.delivered_version, m.retried_version FROM group_member m
    WHERE m.group_id = g.id
    OFFSET 0
  ) m
  WHERE g.last_seq > greatest(m.delivered_seq, m.joined_seq)
    OR g.version > greatest(m.delivered_version, m.retried_version)
)`,
};

export type SweepPage = {
  /** Groups with a member who lags. */
  audits: DeliveryCheck[];
  /** How many groups were looked at; fewer than asked for: there are no more. */
  groups: number;
  /** The last group that was looked at. */
  through_group_id: number;
};

/** Looks for members who lag in the next groups after one, in ascending order. */
export async function sweepGroups(
  db: Db,
  { after_group_id, limit, deadlineMs }: { after_group_id: number; limit: number; deadlineMs: number },
): Promise<SweepPage> {
  const rows = await runStatement<
    DeliveryCheck | { group_id: null; version: number | null; last_seq: number }
  >(db, statement, [after_group_id, limit, deadlineMs]);
  const page: SweepPage = { audits: [], groups: 0, through_group_id: after_group_id };
  for (const row of rows) {
    if (row.group_id !== null) page.audits.push(row);
    else {
      page.groups = row.last_seq;
      page.through_group_id = row.version ?? after_group_id;
    }
  }
  return page;
}
