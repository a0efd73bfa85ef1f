import type { Db } from '../session/db.ts';
import { gathered } from '../statements/gathered.ts';
import { rerun, runStatement } from '../statements/statement.ts';
import { networksMax } from './remember-network.ts';

export type Credential = {
  user_id: number;
  sid: string;
  /** Null: another user has named them as a member, and they were never verified. */
  credential_hash: Buffer | null;
  /** Equal to `credential_hash` once the token has signed in: there is no code any more. */
  token_hash: Buffer | null;
  /** 0 for a credential of the time before tokens. */
  version: number;
  code_failures: number;
  /** How old the credential is, in milliseconds; null for one of the time before tokens. */
  age_ms: number | null;
  /** Keyed hashes of networks from which the user signed in, the newest first. */
  networks: Buffer[];
};

const readStatement = {
  name: 'read_credentials',
  text: `SELECT u.id AS user_id, u.sid, u.credential_hash, c.token_hash, coalesce(c.version, 0) AS version,
      coalesce(c.code_failures, 0) AS code_failures, coalesce(c.networks, '{}') AS networks,
      CASE WHEN c.version > 0
        THEN (1000 * extract(epoch FROM clock_timestamp() - c.date_created))::float8 END AS age_ms
    FROM unnest($1::text[]) AS s (sid)
    CROSS JOIN LATERAL (SELECT * FROM "user" u WHERE u.sid = s.sid COLLATE "C" LIMIT 1) u
    LEFT JOIN credential c ON c.user_id = u.id`,
};

/** The users of these sids, in their order; null for a sid that no user has. */
export async function readCredentials(db: Db, sids: readonly string[]): Promise<(Credential | null)[]> {
  if (sids.length === 0) return [];
  const users = await runStatement<Credential>(db, readStatement, [[...new Set(sids)]]);
  const bySid = new Map(users.map((user) => [user.sid, user]));
  return sids.map((sid) => bySid.get(sid) ?? null);
}

/** The user of one sid; null if there is none. Those who ask at once share a statement. */
export const readCredential = gathered(readCredentials);

/** What a right sign-in leaves behind. */
export type AcceptedCredential = {
  readonly user_id: number;
  /** As it was read: of a newer credential nothing is changed. */
  readonly version: number;
  /** The hash that stands from now on: that of the token, or that of the code while no token has signed in. */
  readonly credential_hash: Buffer;
  /** Null: it signed in by the code. */
  readonly token_hash: Buffer | null;
  /** Changed only if it is still this one: a code must not take the place of a token that signed in meanwhile. Null: any. */
  readonly stored_hash: Buffer | null;
  /** From where; null if that is not known. */
  readonly network: Buffer | null;
};

// The user's row is locked first, as a new credential does.
const acceptStatement = {
  name: 'accept_credentials',
  text: `WITH s AS MATERIALIZED (
      SELECT s.* FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[])
        AS s (user_id, version, credential_hash, token_hash, network, stored_hash)
      JOIN "user" u ON u.id = s.user_id ORDER BY u.id FOR NO KEY UPDATE OF u
    ), kept AS (
      INSERT INTO credential AS c (user_id, version, token_hash, networks)
      SELECT user_id, version, token_hash, CASE WHEN network IS NULL THEN '{}' ELSE ARRAY[network] END FROM s
      ON CONFLICT (user_id) DO UPDATE
      SET code_failures = 0, token_hash = coalesce(excluded.token_hash, c.token_hash),
        networks = (excluded.networks || array_remove(c.networks, excluded.networks[1]))[1:${networksMax}]
      WHERE c.version = excluded.version
      RETURNING c.user_id
    )
    UPDATE "user" u SET credential_hash = s.credential_hash FROM s JOIN kept USING (user_id)
    WHERE u.id = s.user_id AND u.credential_hash IS DISTINCT FROM s.credential_hash
      AND u.credential_hash = coalesce(s.stored_hash, u.credential_hash)`,
};

/** Puts right sign-ins into effect: wrong guesses are forgotten, a code whose token has signed in is void. */
export async function acceptCredentials(db: Db, accepted: readonly AcceptedCredential[]): Promise<void> {
  // A user may sign in on many connections at once; a token voids the code whichever comes first.
  const byUser = new Map<number, AcceptedCredential>();
  for (const one of accepted) if (one.token_hash || !byUser.has(one.user_id)) byUser.set(one.user_id, one);
  const rows = [...byUser.values()];
  if (rows.length === 0) return;
  const values = [
    rows.map(({ user_id }) => user_id),
    rows.map(({ version }) => version),
    rows.map(({ credential_hash }) => credential_hash),
    rows.map(({ token_hash }) => token_hash),
    rows.map(({ network }) => network),
    rows.map(({ stored_hash }) => stored_hash),
  ];
  await rerun(db, () => runStatement(db, acceptStatement, values));
}

const failuresMax = 1_000_000;

const countStatement = {
  name: 'count_code_failures',
  text: `INSERT INTO credential AS c (user_id, code_failures)
    SELECT user_id, count(*) FROM unnest($1::bigint[]) AS s (user_id) GROUP BY user_id ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE
    SET code_failures = least(c.code_failures + excluded.code_failures, ${failuresMax})`,
};

/** Counts wrong guesses at the codes of these users. @param userIds one for each guess; 0 for a number without a code */
export async function countCodeFailures(db: Db, userIds: readonly number[]): Promise<void> {
  if (userIds.length > 0) await rerun(db, () => runStatement(db, countStatement, [userIds]));
}
