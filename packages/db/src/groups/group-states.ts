import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

/** $1: groups, $2: most bytes. */
const statesStatement = {
  name: 'group_states',
  text: 'SELECT s.ord, s.state::text FROM group_states($1::bigint[], $2::bigint) s',
};

/**
 * @param bytesMax of the states together; one is read however large it is
 * @returns states in the order of the groups, each the JSON of a `GroupState`, and how many of the groups were looked at:
 *   those behind them were not
 */
export async function readGroupStates(
  db: Db,
  groupIds: readonly number[],
  bytesMax: number,
): Promise<{ states: string[]; looked: number }> {
  const rows = await runStatement<{ ord: number; state: string }>(db, statesStatement, [groupIds, bytesMax]);
  return { states: rows.map(({ state }) => state), looked: rows.at(-1)?.ord ?? groupIds.length };
}

export type GroupHead = readonly [group_id: number, version: number, last_seq: number];

/** $1: groups. */
const headsStatement = {
  name: 'group_heads',
  text: 'SELECT g.id, g.version, g.last_seq FROM "group" g WHERE g.id = ANY ($1::bigint[])',
};

/** How far these groups are, in no order; an unknown one is left out. */
export async function readGroupHeads(db: Db, groupIds: readonly number[]): Promise<GroupHead[]> {
  const rows = await runStatement<{ id: number; version: number; last_seq: number }>(db, headsStatement, [
    groupIds,
  ]);
  return rows.map(({ id, version, last_seq }) => [id, version, last_seq]);
}
