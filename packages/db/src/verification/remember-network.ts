import type { Db } from '../session/db.ts';
import { rerun, runStatement } from '../statements/statement.ts';

/** Older ones are forgotten. */
export const networksMax = 8;

const statement = {
  name: 'remember_network',
  text: `UPDATE credential c
    SET networks = (ARRAY[$3::bytea] || array_remove(c.networks, $3::bytea))[1:${networksMax}]
    WHERE c.user_id = $1 AND c.version = $2`,
};

/** Who verified a number in a network is at home there, as who signed in. Of a newer credential nothing is changed. */
export async function rememberNetwork(
  db: Db,
  { user_id, version, network }: { user_id: number; version: number; network: Buffer },
): Promise<void> {
  await rerun(db, () => runStatement(db, statement, [user_id, version, network]));
}
