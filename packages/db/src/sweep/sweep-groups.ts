import type { DeliveryCheck } from '@hooligram/contract';
import { deliveryCheckColumns } from '../cursors/due.sql.ts';
import type { Db } from '../session/db.ts';
import { type Fit, isFit, type ReplicaDb } from '../session/replica.ts';
import { runStatement } from '../statements/statement.ts';

/**
 * Of a group `g`: whether a member has not acknowledged all of it. Its members are looked at by their key, until the first
 * such one.
 */
const hasOverdue = `EXISTS (
  SELECT FROM (
    SELECT m.joined_seq, m.delivered_seq, m.delivered_version, m.retried_version FROM group_member m
    WHERE m.group_id = g.id
    OFFSET 0
  ) m
  WHERE g.last_seq > greatest(m.delivered_seq, m.joined_seq)
    OR g.version > greatest(m.delivered_version, m.retried_version)
)`;

/**
 * $1: after which group. $2: groups at most, which come by their key: the work of a page is bounded by its groups and
 * their members, however many groups there are.
 */
const pageText = (condition = '') => `page AS MATERIALIZED (
  SELECT g.id, g.version, g.last_seq, g.date_changed FROM "group" g
  WHERE g.id > $1::bigint${condition}
  ORDER BY g.id
  LIMIT $2::bigint
)`;

/** $3: milliseconds after which something is due. One more row says where the page ends. */
const statement = {
  name: 'sweep_groups',
  text: `
WITH ${pageText()}
SELECT NULL::bigint AS group_id, NULL::bigint AS version, NULL::bigint AS last_seq,
  NULL::bigint AS due_seq, NULL::bigint AS due_version, count(*) AS groups, max(p.id) AS through_group_id
FROM page p
UNION ALL
SELECT ${deliveryCheckColumns('$3')}, NULL, NULL
FROM page g
WHERE ${hasOverdue}`,
};

/**
 * $3, $4, $5: see `isFit`, which is asked once. A standby that is not fit gives no row: a page without groups would be the
 * end of all groups.
 */
const replicaStatement = {
  name: 'replica_sweep',
  text: `
WITH fit AS MATERIALIZED (
  SELECT ${isFit('$3', '$4', '$5')} AS is_fit
), ${pageText('\n    AND (SELECT f.is_fit FROM fit f)')}
SELECT NULL::bigint AS group_id, count(*) AS groups, max(p.id) AS through_group_id
FROM page p
HAVING (SELECT f.is_fit FROM fit f)
UNION ALL
SELECT g.id, NULL, NULL
FROM page g
WHERE ${hasOverdue}`,
};

/** Which groups are looked at next. */
export type SweepQuestion = { readonly after_group_id: number; readonly limit: number };

type Range = {
  /** How many groups were looked at; fewer than asked for: there are no more. */
  groups: number;
  /** The last group that was looked at. */
  through_group_id: number;
};

export type SweepPage = Range & {
  /** Groups with a member who is overdue. */
  overdue: DeliveryCheck[];
};

/** One row (`groups` is not null) is the page's, the others are its groups. */
type RangeRow = { groups: number | null; through_group_id: number | null };

/** Looks for overdue members in the next groups after one, in ascending order. */
export async function sweepGroups(
  db: Db,
  { after_group_id, limit, deadlineMs }: SweepQuestion & { readonly deadlineMs: number },
): Promise<SweepPage> {
  const rows = await runStatement<DeliveryCheck & RangeRow>(db, statement, [
    after_group_id,
    limit,
    deadlineMs,
  ]);
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

/**
 * The same groups, as a standby has them: of the past. Cursors only grow, so of what it has replayed it leaves no overdue
 * member out; who has acknowledged since then is still one.
 *
 * @returns null if it is not `fit`
 */
export async function replicaSweep(
  replica: ReplicaDb,
  { epoch, identity, wal }: Fit,
  { after_group_id, limit }: SweepQuestion,
): Promise<(Range & { candidates: number[] }) | null> {
  const values = [after_group_id, limit, epoch, identity, wal];
  const rows = await runStatement<{ group_id: number | null } & RangeRow>(replica, replicaStatement, values);
  const range = rows.find(({ groups }) => groups !== null);
  if (!range) return null;
  return {
    candidates: rows.flatMap(({ group_id }) => group_id ?? []),
    groups: range.groups ?? 0,
    through_group_id: range.through_group_id ?? after_group_id,
  };
}
