import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

const statement = {
  name: 'read_credential_versions',
  text: 'SELECT user_id, version FROM credential WHERE user_id = ANY($1::bigint[]) AND version > 0',
};

/** The versions of these users' credentials, in their order; 0 for one of the time before tokens, and for none. */
export async function readCredentialVersions(db: Db, userIds: readonly number[]): Promise<number[]> {
  if (userIds.length === 0) return [];
  const rows = await runStatement<{ user_id: number; version: number }>(db, statement, [userIds]);
  const versions = new Map(rows.map(({ user_id, version }) => [user_id, version]));
  return userIds.map((user_id) => versions.get(user_id) ?? 0);
}
