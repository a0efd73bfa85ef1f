import { type GroupState, type GroupVersion, publishedMembersMax } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

const statement = { name: 'read_state', text: 'SELECT group_state($1) AS state' };

/**
 * The state of a group that exists, as it is now. After a change of a large group it is read by itself, so that the
 * change does not hold the group's row for as long as that takes.
 */
export async function readState(db: Db, group_id: number): Promise<GroupState> {
  const [row] = await runStatement<{ state: GroupState }>(db, statement, [group_id]);
  return (row as { state: GroupState }).state;
}

/** $1 the group, $2 with how many members its state is read. */
const changeStatement = {
  name: 'read_change',
  text: `
SELECT CASE WHEN (SELECT count(*) FROM (SELECT FROM group_member m WHERE m.group_id = g.id LIMIT $2::bigint + 1) few) <= $2::bigint
  THEN group_state(g.id)
  ELSE json_build_object('group_id', g.id, 'version', g.version, 'version_seq', g.version_seq) END AS change
FROM "group" g WHERE g.id = $1`,
};

/** What has to be published of a group that has changed: of one with too many members for a state no more than that. */
export async function readChange(
  db: Db,
  group_id: number,
  membersMax = publishedMembersMax,
): Promise<GroupState | GroupVersion> {
  const [row] = await runStatement<{ change: GroupState | GroupVersion }>(db, changeStatement, [
    group_id,
    membersMax,
  ]);
  return (row as { change: GroupState | GroupVersion }).change;
}
