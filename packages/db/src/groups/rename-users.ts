import type { PoolClient } from 'pg';
import type { Db } from '../session/db.ts';
import { withConnection } from '../session/with-connection.ts';

/** What became of one user, or would become. */
export type Renamed =
  | { readonly kind: 'renamed'; readonly groups: number }
  /** With the user that had the new sid already. */
  | { readonly kind: 'merged'; readonly groups: number }
  /** Nothing was done: both have an open direct message with the same third user, and a pair may have one. */
  | { readonly kind: 'two_direct_messages'; readonly groupIds: readonly number[] };

type RenameUsersOptions = {
  /**
   * @returns the sid that a user is to have; their present one when nothing is wrong with it; undefined when there is
   *   none
   */
  readonly canonicalSid: (sid: string) => string | undefined;
  /** Whether what was done stays; otherwise everything is taken back. */
  readonly apply: boolean;
  /** Called for each user without their canonical sid, in the order of ids. */
  readonly onUser: (sid: string, to: string | undefined, outcome: Renamed | undefined) => void;
};

const usersPerPage = 10_000;

/**
 * Gives every user their canonical sid, in one transaction. No core may run meanwhile: gateways and cores know the
 * old ones.
 *
 * A stored credential holds for the sid with which it was made, so a renamed user requests a code once. A user whose
 * new sid is taken is merged with the user that has it: in all groups of both, with the lower of two cursors, so that
 * some messages may come to them twice and none is missing.
 * @throws when a core is connected and `apply` is set
 */
export async function renameUsers(
  db: Db,
  { canonicalSid, apply, onUser }: RenameUsersOptions,
): Promise<void> {
  // With the connection, if one of these fails, goes the transaction.
  await withConnection(db.pool, async (client) => {
    if (apply) await refuseBesideCores(client);
    await client.query('BEGIN');
    for (let after = 0; ; ) {
      const { rows } = await client.query<{ id: number; sid: string }>(
        'SELECT id, sid FROM "user" WHERE id > $1 ORDER BY id LIMIT $2',
        [after, usersPerPage],
      );
      for (const { id, sid } of rows) {
        const to = canonicalSid(sid);
        if (to !== sid) onUser(sid, to, to === undefined ? undefined : await rename(client, id, sid, to));
      }
      const last = rows.at(-1);
      if (!last) break;
      after = last.id;
    }
    await client.query(apply ? 'COMMIT' : 'ROLLBACK');
  });
}

async function refuseBesideCores(client: PoolClient): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hooligram-core'`,
  );
  if (rowCount) throw new Error('a core is connected to this database: stop all cores and gateways first');
}

async function rename(client: PoolClient, id: number, sid: string, to: string): Promise<Renamed> {
  const { rows: taken } = await client.query<{ id: number }>('SELECT id FROM "user" WHERE sid = $1', [to]);
  const [keeper] = taken;
  if (keeper) {
    const groupIds = await sharedDirectMessages(client, id, keeper.id);
    if (groupIds.length > 0) return { kind: 'two_direct_messages', groupIds };
  }
  const { rows } = await client.query<{ group_id: number }>(
    'SELECT group_id FROM group_member WHERE user_id = $1 ORDER BY group_id',
    [id],
  );
  const groupIds = rows.map(({ group_id }) => group_id);
  await client.query('DELETE FROM verification_challenge WHERE sid = $1', [sid]);
  if (keeper) await merge(client, id, keeper.id);
  else await client.query('UPDATE "user" SET sid = $2, credential_hash = NULL WHERE id = $1', [id, to]);
  await client.query(announceGroups, [groupIds]);
  return { kind: keeper ? 'merged' : 'renamed', groups: groupIds.length };
}

/** Open direct messages of two users with the same third one: pairs of group ids. */
async function sharedDirectMessages(client: PoolClient, id: number, keeperId: number): Promise<number[]> {
  const { rows } = await client.query<{ one: number; other: number }>(
    `SELECT o.id AS one, k.id AS other
     FROM group_member m
     JOIN "group" o ON o.id = m.group_id AND o.direct_key IS NOT NULL AND NOT o.closed
     JOIN "group" k ON k.direct_key = ${keyWith('$2', otherOf('o.direct_key', '$1'))} AND NOT k.closed
     WHERE m.user_id = $1 AND o.id <> k.id`,
    [id, keeperId],
  );
  return rows.flatMap(({ one, other }) => [one, other]);
}

/** The id in a direct key beside the given one. */
function otherOf(key: string, id: string): string {
  return `(CASE WHEN split_part(${key}, ':', 1) = ${id}::bigint::text
    THEN split_part(${key}, ':', 2) ELSE split_part(${key}, ':', 1) END)::bigint`;
}

/** The direct key of two users. */
function keyWith(one: string, other: string): string {
  return `least(${one}::bigint, ${other}) || ':' || greatest(${one}::bigint, ${other})`;
}

/** $1 becomes $2. */
const mergeStatements = [
  // A user who was in a group twice is in it once, and has what both acknowledged.
  `UPDATE group_member k
   SET joined_seq = least(k.joined_seq, o.joined_seq), delivered_seq = least(k.delivered_seq, o.delivered_seq),
       delivered_version = least(k.delivered_version, o.delivered_version),
       retried_version = least(k.retried_version, o.retried_version)
   FROM group_member o
   WHERE o.user_id = $1 AND k.user_id = $2 AND k.group_id = o.group_id`,
  `UPDATE "group" g SET direct_key = ${keyWith('$2', otherOf('g.direct_key', '$1'))}
   FROM group_member m
   WHERE m.user_id = $1 AND g.id = m.group_id AND g.direct_key IS NOT NULL AND NOT g.closed
   AND NOT EXISTS (SELECT FROM group_member k WHERE k.group_id = g.id AND k.user_id = $2)`,
  `DELETE FROM group_member o USING group_member k
   WHERE o.user_id = $1 AND k.user_id = $2 AND k.group_id = o.group_id`,
  'UPDATE group_member SET user_id = $2 WHERE user_id = $1',
  `UPDATE message m
   SET sender_id = $2, request_id = CASE WHEN EXISTS (
     SELECT FROM message k WHERE k.sender_id = $2 AND k.request_id = m.request_id
   ) THEN gen_random_uuid() ELSE m.request_id END
   WHERE m.sender_id = $1`,
  `INSERT INTO request (user_id, request_id, fingerprint, answer, date_created)
   SELECT $2, request_id, fingerprint, answer, date_created FROM request WHERE user_id = $1
   ON CONFLICT DO NOTHING`,
];

async function merge(client: PoolClient, id: number, keeperId: number): Promise<void> {
  for (const statement of mergeStatements) await client.query(statement, [id, keeperId]);
  await client.query('DELETE FROM request WHERE user_id = $1', [id]);
  await client.query('DELETE FROM credential WHERE user_id = $1', [id]);
  await client.query('DELETE FROM "user" WHERE id = $1', [id]);
}

/** $1 groups whose list of members has changed: a new version, which everybody is sent. */
const announceGroups = `
  UPDATE "group" g
  SET version = g.version + 1, version_seq = g.last_seq, date_changed = clock_timestamp(),
      closed = (SELECT count(*) FROM group_member m WHERE m.group_id = g.id) < 2
  WHERE g.id = ANY ($1::bigint[]) AND NOT g.closed`;
