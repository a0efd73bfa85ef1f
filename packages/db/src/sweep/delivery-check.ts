import type { DeliveryCheck } from '@hooligram/contract';
import { deliveryCheckColumns } from '../cursors/due.sql.ts';
import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

/** $1: a group. $2: milliseconds after which something is due. */
const statement = {
  name: 'delivery_check',
  text: `SELECT ${deliveryCheckColumns('$2')} FROM "group" g WHERE g.id = $1`,
};

/** How far a group is, and how much of it should have been acknowledged by now; null for an unknown group. */
export async function deliveryCheck(
  db: Db,
  group_id: number,
  deadlineMs: number,
): Promise<DeliveryCheck | null> {
  const [check] = await runStatement<DeliveryCheck>(db, statement, [group_id, deadlineMs]);
  return check ?? null;
}
