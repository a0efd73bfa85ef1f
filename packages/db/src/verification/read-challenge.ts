import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

export type Challenge = {
  sid: string;
  /** Null: a provider keeps the code. */
  code_hash: Buffer | null;
  /** Until when its code is good, in milliseconds since 1970; a later code on the connection has another one. */
  expires_ms: number;
};

const statement = {
  name: 'read_challenge',
  text: `SELECT sid, code_hash, (1000 * extract(epoch FROM date_expires))::float8 AS expires_ms
    FROM verification_challenge WHERE connection_id = $1`,
};

/** The latest challenge of a connection, expired or not; null if it requested no code or has used it up. */
export async function readChallenge(db: Db, connection_id: string): Promise<Challenge | null> {
  const [found] = await runStatement<Challenge>(db, statement, [connection_id]);
  return found ?? null;
}
