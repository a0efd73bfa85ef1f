import type { Audit } from '@hooligram/contract';
import { auditColumns } from '../cursors/due.sql.ts';
import type { Db } from '../db.ts';
import { runStatement } from '../statement.ts';

/** $1: a group. $2: milliseconds after which something is due. */
const statement = {
  name: 'audit_group',
  text: `SELECT ${auditColumns('$2')} FROM "group" g WHERE g.id = $1`,
};

/** How far a group is, and how much of it should have been acknowledged by now; null for an unknown group. */
export async function auditGroup(db: Db, group_id: number, deadlineMs: number): Promise<Audit | null> {
  const [audit] = await runStatement<Audit>(db, statement, [group_id, deadlineMs]);
  return audit ?? null;
}
