import { onPostgres } from '@hooligram/local';
import {
  type DatabaseSnapshot,
  type MembershipChange,
  memberKey,
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

const messagesQuery = `
SELECT m.id AS message_id, m.group_id, m.seq, u.sid AS sender_sid, m.request_id::text, m.content
FROM message m JOIN "user" u ON u.id = m.sender_id WHERE m.group_id = ANY ($1) ORDER BY m.group_id, m.seq`;

const membershipsQuery = `
SELECT c.group_id, u.sid, c.change, c.seq
FROM chaos.membership c JOIN "user" u ON u.id = c.user_id WHERE c.group_id = ANY ($1) ORDER BY c.place`;

/** Groups of this run's users alone: the smoke test of the launcher leaves a group behind. */
const groupsQuery = `
SELECT g.id AS group_id, g.name FROM "group" g
WHERE EXISTS (
  SELECT FROM chaos.membership c JOIN "user" u ON u.id = c.user_id
  WHERE c.group_id = g.id AND u.sid = ANY ($1)
) ORDER BY g.id`;

/** Must run before the first group is created. */
export async function prepareDatabase(url: string): Promise<void> {
  await onPostgres(url, (client) => client.query(bookkeeping));
}

/** @param sids of all users of the run */
export async function readSnapshot(url: string, sids: readonly string[]): Promise<DatabaseSnapshot> {
  return onPostgres(url, async (client) => {
    // One snapshot for all three.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const groups = (await client.query(groupsQuery, [sids])).rows.map((row) => ({
      groupId: Number(row.group_id),
      name: row.name as string,
    }));
    const ids = [groups.map(({ groupId }) => groupId)];
    const messages = (await client.query(messagesQuery, ids)).rows.map(storedMessage);
    const memberships = (await client.query(membershipsQuery, ids)).rows.map(membershipChange);
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

function storedMessage(row: Record<string, unknown>): StoredMessage {
  return {
    messageId: Number(row.message_id),
    groupId: Number(row.group_id),
    seq: Number(row.seq),
    senderSid: row.sender_sid as string,
    requestId: row.request_id as string,
    content: row.content as string,
  };
}

function membershipChange(row: Record<string, unknown>): MembershipChange {
  return {
    groupId: Number(row.group_id),
    sid: row.sid as string,
    change: row.change as 'joined' | 'left',
    seq: Number(row.seq),
  };
}
