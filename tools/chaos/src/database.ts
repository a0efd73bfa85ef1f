import { onPostgres } from '@hooligram/local';
import {
  type DatabaseSnapshot,
  type MembershipChange,
  memberKey,
  type StoredGroup,
  type StoredMessage,
} from './checker/database-snapshot.ts';

/**
 * Records every joining and leaving, which the product does not keep, in a schema of its own. The trigger runs in the
 * transaction that changes a member, which holds the lock on the group's row: so `last_seq` is exactly the last message
 * stored before that change.
 */
const bookkeeping = `
CREATE SCHEMA chaos;
CREATE TABLE chaos.membership (
  place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_id BIGINT NOT NULL, user_id BIGINT NOT NULL, change TEXT NOT NULL, seq BIGINT NOT NULL
);
CREATE FUNCTION chaos.note_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO chaos.membership (group_id, user_id, change, seq)
  SELECT g.id, coalesce(NEW.user_id, OLD.user_id), CASE TG_OP WHEN 'INSERT' THEN 'joined' ELSE 'left' END, g.last_seq
  FROM public."group" g WHERE g.id = coalesce(NEW.group_id, OLD.group_id);
  RETURN NULL;
END
$$;
CREATE TRIGGER chaos_membership AFTER INSERT OR DELETE ON public.group_member
  FOR EACH ROW EXECUTE FUNCTION chaos.note_membership();
INSERT INTO chaos.membership (group_id, user_id, change, seq)
SELECT group_id, user_id, 'joined', joined_seq FROM public.group_member`;

/** The sids of members who never connect begin with it; those of the load begin otherwise. */
export const strangersPrefix = '888.2';

// A float8 is a number for pg, and exact for every id and seq; a bigint would be a text.
const messagesQuery = `
SELECT m.id::float8 AS "messageId", m.group_id::float8 AS "groupId", m.seq::float8 AS seq, u.sid AS "senderSid",
  m.request_id::text AS "requestId", m.content
FROM message m JOIN "user" u ON u.id = m.sender_id WHERE m.group_id = ANY ($1) ORDER BY m.group_id, m.seq`;

/** Of this run's users alone: the checker does not look at strangers. */
const membershipsQuery = `
SELECT c.group_id::float8 AS "groupId", u.sid, c.change, c.seq::float8 AS seq
FROM chaos.membership c JOIN "user" u ON u.id = c.user_id WHERE c.group_id = ANY ($1) AND u.sid = ANY ($2) ORDER BY c.place`;

/** Groups of this run's users alone: the smoke test of the launcher leaves a group behind. */
const groupsQuery = `
SELECT g.id::float8 AS "groupId", g.name FROM "group" g
WHERE EXISTS (
  SELECT FROM chaos.membership c JOIN "user" u ON u.id = c.user_id
  WHERE c.group_id = g.id AND u.sid = ANY ($1)
) ORDER BY g.id`;

/** Must run before the first group is created. */
export async function prepareDatabase(url: string): Promise<void> {
  await onPostgres(url, (client) => client.query(bookkeeping));
}

/**
 * Adds members who never connect to a group, more than a frame has room for. The gateways learn of them with its next
 * change.
 */
export async function addStrangers(url: string, groupId: number, count: number): Promise<void> {
  if (count <= 0) return;
  await onPostgres(url, (client) =>
    client.query(
      `WITH strangers AS (
         INSERT INTO "user" (sid) SELECT $3::text || (1000000000 + n) FROM generate_series(1, $2::int) n RETURNING id
       ), changed AS (
         UPDATE "group" SET version = version + 1, version_seq = last_seq WHERE id = $1 RETURNING last_seq
       )
       INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq)
       SELECT $1, s.id, c.last_seq, c.last_seq FROM strangers s, changed c`,
      [groupId, count, strangersPrefix],
    ),
  );
}

/** @param sids of all users of the run */
export async function readSnapshot(url: string, sids: readonly string[]): Promise<DatabaseSnapshot> {
  return onPostgres(url, async (client) => {
    // One snapshot for all three.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows: groups } = await client.query<StoredGroup>(groupsQuery, [sids]);
    const ids = groups.map(({ groupId }) => groupId);
    const { rows: messages } = await client.query<StoredMessage>(messagesQuery, [ids]);
    const { rows: memberships } = await client.query<MembershipChange>(membershipsQuery, [ids, sids]);
    await client.query('COMMIT');
    return { groups, messages, memberships };
  });
}

/** The cursor of each member, by `memberKey`: the last seq that the product holds for acknowledged. */
export async function readCursors(url: string): Promise<Map<string, number>> {
  const query = `SELECT m.group_id, u.sid, m.delivered_seq FROM group_member m JOIN "user" u ON u.id = m.user_id`;
  const { rows } = await onPostgres(url, (client) => client.query(query));
  return new Map(rows.map((row) => [memberKey(Number(row.group_id), row.sid), Number(row.delivered_seq)]));
}
