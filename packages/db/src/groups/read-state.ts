import type { GroupState } from '@hooligram/contract';
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
