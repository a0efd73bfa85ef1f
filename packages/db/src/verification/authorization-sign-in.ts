import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

type Credential = {
  user_id: number;
  sid: string;
  /** Null: another user has named them as a member, and they were never verified. */
  credential_hash: Buffer | null;
};

const statement = {
  name: 'read_credentials',
  text: `SELECT u.id AS user_id, u.sid, u.credential_hash
    FROM unnest($1::text[]) AS s (sid)
    CROSS JOIN LATERAL (SELECT * FROM "user" u WHERE u.sid = s.sid COLLATE "C" LIMIT 1) u`,
};

/** The users of these sids, in their order; null for a sid that no user has. */
export async function readCredentials(db: Db, sids: readonly string[]): Promise<(Credential | null)[]> {
  if (sids.length === 0) return [];
  const users = await runStatement<Credential>(db, statement, [[...new Set(sids)]]);
  const bySid = new Map(users.map((user) => [user.sid, user]));
  return sids.map((sid) => bySid.get(sid) ?? null);
}
