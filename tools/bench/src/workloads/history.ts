import { onPostgres } from '@hooligram/local';

const groups = 1_000;
const batchGroups = 50;

/** $1 the number of groups, $2 messages in each */
const createGroups = `
  WITH stranger AS (
    INSERT INTO "user" (sid) VALUES ('888.15550000001'), ('888.15550000002') RETURNING id
  ), made AS (
    INSERT INTO "group" (name, is_direct_message, last_seq)
    SELECT 'history', false, $2 FROM generate_series(1, $1::int) RETURNING id
  ), joined AS (
    INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq, delivered_version)
    SELECT made.id, stranger.id, 0, $2, 1 FROM made CROSS JOIN stranger
  )
  SELECT id FROM made ORDER BY id`;

/** $1 groups, $2 messages in each, $3 the senders, in turn */
const insertMessages = `
  INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
  SELECT nextval('message_id_seq'), g, seq, ($3::bigint[])[1 + (g + seq) % cardinality($3::bigint[])],
         gen_random_uuid(), 'the quick brown fox jumps over the lazy dog, and so on, years ago', now() - interval '1 day'
  FROM unnest($1::bigint[]) g CROSS JOIN generate_series(1, $2::bigint) seq`;

/**
 * Fills the database with old messages by the users who are signed up, in groups that they have left, so that every
 * index that a new message goes into is as deep as after years. Each group has two other members, who have received
 * all of its messages.
 */
export async function storeHistory(
  databaseUrl: string,
  messages: number,
  log: (line: string) => void,
): Promise<void> {
  await onPostgres(databaseUrl, async (client) => {
    const perGroup = Math.ceil(messages / groups);
    const { rows: users } = await client.query('SELECT id FROM "user"');
    const senders = users.map(({ id }) => id);
    const { rows } = await client.query(createGroups, [groups, perGroup]);
    const ids = rows.map(({ id }) => id);
    for (let from = 0; from < groups; from += batchGroups) {
      await client.query(insertMessages, [ids.slice(from, from + batchGroups), perGroup, senders]);
      const done = (from + batchGroups) * perGroup;
      if (done % 500_000 < batchGroups * perGroup) log(`${done.toLocaleString('en')} messages stored`);
    }
    // Else autovacuum would do this during the measurement.
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  });
}
