import type { DeliveryCheck } from '@hooligram/contract';
import { deliveryCheckColumns } from '../cursors/due.sql.ts';
import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

/** $1: groups. $2: milliseconds after which something is due. */
const statement = {
  name: 'delivery_checks',
  text: `SELECT ${deliveryCheckColumns('$2')}
FROM unnest($1::bigint[]) AS asked (id)
JOIN "group" g ON g.id = asked.id`,
};

/**
 * How far each group is, and how much of it should have been acknowledged by now. One statement, however many groups.
 *
 * @returns in any order; nothing for an unknown group
 */
export async function deliveryChecks(
  db: Db,
  group_ids: readonly number[],
  deadlineMs: number,
): Promise<DeliveryCheck[]> {
  return await runStatement<DeliveryCheck>(db, statement, [group_ids, deadlineMs]);
}
