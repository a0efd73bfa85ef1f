import { randomBytes } from 'node:crypto';
import { onPostgres } from '@hooligram/local';

const batchMessages = 1_000;

export type WaitingSpec = {
  readonly groups: number;
  /** In each group. */
  readonly messages: number;
  /** Of the content of each. */
  readonly bytes: number;
};

/** $1 the reader, $2 the writer, who has read everything, $3 the number of groups, $4 the messages in each */
const createGroups = `
  WITH made AS (
    INSERT INTO "group" (name, is_direct_message, last_seq)
    SELECT 'waiting', false, $4 FROM generate_series(1, $3::int) RETURNING id
  ), joined AS (
    INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq, delivered_version)
    SELECT made.id, u.id, 0, CASE u.sid WHEN $1 THEN 0 ELSE $4 END, CASE u.sid WHEN $1 THEN 0 ELSE 1 END
    FROM made CROSS JOIN "user" u WHERE u.sid IN ($1, $2)
  )
  SELECT id FROM made ORDER BY id`;

/** $1 groups, $2 messages in each, $3 the writer, $4 the bytes of a message, $5 a text that is longer */
const insertMessages = `
  INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
  SELECT nextval('message_id_seq'), g, seq, u.id, gen_random_uuid(), left(seq || ' ' || $5, $4), now()
  FROM unnest($1::bigint[]) g CROSS JOIN generate_series(1, $2::bigint) seq JOIN "user" u ON u.sid = $3
  ORDER BY g, seq`;

/**
 * Stores messages that wait for one user, in groups with one other. Sent by clients they would take an hour.
 * @param reader the sid of the user for whom they wait
 * @param writer that of the other; both have signed up
 * @returns the ids of the groups
 */
export async function storeWaiting(
  databaseUrl: string,
  reader: string,
  writer: string,
  { groups, messages, bytes }: WaitingSpec,
  log: (line: string) => void,
): Promise<number[]> {
  return onPostgres(databaseUrl, async (client) => {
    const { rows } = await client.query(createGroups, [reader, writer, groups, messages]);
    const ids = rows.map(({ id }) => Number(id));
    const batchGroups = Math.max(1, Math.floor(batchMessages / messages));
    for (let from = 0; from < groups; from += batchGroups) {
      // Random, so that Postgres stores all of it, as it would of sealed messages.
      const text = randomBytes(Math.ceil(bytes / 2)).toString('hex');
      await client.query(insertMessages, [
        ids.slice(from, from + batchGroups),
        messages,
        writer,
        bytes,
        text,
      ]);
      const done = Math.min(groups, from + batchGroups) * messages;
      if (done % (10 * batchMessages) === 0) log(`${done.toLocaleString('en')} messages stored`);
    }
    // Else autovacuum would do this during the measurement.
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
    return ids;
  });
}

const unread = `
  SELECT count(*)::int AS groups FROM group_member m JOIN "group" g ON g.id = m.group_id JOIN "user" u ON u.id = m.user_id
  WHERE u.sid = $1 AND (m.delivered_seq < g.last_seq OR m.delivered_version < g.version)`;

/** @returns in how many groups something still waits for a user, as far as acknowledgements were written */
export function countUnread(databaseUrl: string, sid: string): Promise<number> {
  return onPostgres(databaseUrl, async (client) => {
    const { rows } = await client.query(unread, [sid]);
    return Number(rows[0]?.groups);
  });
}
