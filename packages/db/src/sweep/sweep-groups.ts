import type { DeliveryCheck } from '@hooligram/contract';
import { deliveryCheckColumns } from '../cursors/due.sql.ts';
import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

/**
 * $1: after which group. $2: groups at most. $3: milliseconds after which something is due. The groups come by
 * their key, and of each its members by theirs, until the first one who is overdue: the work of a page is bounded
 * by its groups and their members, however many groups there are. One more row says where the page ends.
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
SELECT NULL::bigint AS group_id, NULL::bigint AS version, NULL::bigint AS last_seq,
  NULL::bigint AS due_seq, NULL::bigint AS due_version, count(*) AS groups, max(p.id) AS through_group_id
FROM page p
UNION ALL
SELECT ${deliveryCheckColumns('$3')}, NULL, NULL
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

type SweepPage = {
  /** Groups with a member who is overdue. */
  overdue: DeliveryCheck[];
  /** How many groups were looked at; fewer than asked for: there are no more. */
  groups: number;
  /** The last group that was looked at. */
  through_group_id: number;
};

/** One row (`groups` is not null) is the page's, the others are its overdue groups. */
type Row = DeliveryCheck & { groups: number | null; through_group_id: number | null };

/** Looks for overdue members in the next groups after one, in ascending order. */
export async function sweepGroups(
  db: Db,
  { after_group_id, limit, deadlineMs }: { after_group_id: number; limit: number; deadlineMs: number },
): Promise<SweepPage> {
  const rows = await runStatement<Row>(db, statement, [after_group_id, limit, deadlineMs]);
  const page: SweepPage = { overdue: [], groups: 0, through_group_id: after_group_id };
  for (const { groups, through_group_id, ...check } of rows) {
    if (groups === null) page.overdue.push(check);
    else {
      page.groups = groups;
      page.through_group_id = through_group_id ?? after_group_id;
    }
  }
  return page;
}
