import type { Db } from '../session/db.ts';
import { isInEpoch } from '../session/epoch.sql.ts';
import { rerun, runStatement } from '../statements/statement.ts';

/**
 * $1: a user. $2 groups, $3 versions; each group once. $4: the epoch in which these were their versions. Locked
 * in the order of their keys, as cursors are.
 */
const statement = {
  name: 'set_retried_versions',
  text: `
WITH locked AS MATERIALIZED (
  SELECT m.group_id, m.user_id, r.version
  FROM unnest($2::bigint[], $3::bigint[]) AS r (group_id, version)
  JOIN group_member m ON m.group_id = r.group_id AND m.user_id = $1::bigint
  WHERE ${isInEpoch('$4')}
  ORDER BY m.group_id
  FOR NO KEY UPDATE OF m
)
UPDATE group_member m SET retried_version = greatest(m.retried_version, l.version)
FROM locked l
WHERE m.group_id = l.group_id AND m.user_id = l.user_id`,
};

/** These states of these groups were sent to the user often enough: they are not overdue any more. */
export async function setRetriedVersions(
  db: Db,
  user_id: number,
  states: readonly { readonly group_id: number; readonly version: number }[],
  epoch = 0,
): Promise<void> {
  if (states.length === 0) return;
  const values = [
    user_id,
    states.map((state) => state.group_id),
    states.map((state) => state.version),
    epoch,
  ];
  await rerun(db, () => runStatement(db, statement, values));
}
