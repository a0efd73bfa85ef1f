import { onPostgres } from '@hooligram/local';

/** The sids of members who never connect begin with it. */
export const crowdPrefix = '888.6';

export type LargeData = {
  /** Who is in every one of the groups and has acknowledged nothing. They have signed up. */
  readonly sids: readonly string[];
  readonly groups: number;
  /** Members of each group who never connect. */
  readonly crowd: number;
  /** In each group, from somebody of the crowd. */
  readonly messages?: number;
  /** Whether all of them have been together for so long that nobody is a stranger to the others. */
  readonly areAcquainted?: boolean;
  readonly content?: string;
};

/** $1 the prefix, $2 how many */
const createCrowd = `INSERT INTO "user" (sid) SELECT $1::text || (1000000000 + n) FROM generate_series(1, $2::int) n
  ON CONFLICT DO NOTHING`;

/** $1 the sids, $2 the crowd's prefix, $3 how many of the crowd, $4 how many groups, $5 messages in each */
const createGroups = `
  WITH made AS (
    INSERT INTO "group" (name, is_direct_message, last_seq) SELECT 'large', false, $5::bigint FROM generate_series(1, $4::int)
    RETURNING id
  ), joining AS (
    SELECT id, 0 AS seq, 0 AS version FROM "user" WHERE sid = ANY ($1)
    UNION ALL
    SELECT u.id, $5, 1 FROM generate_series(1, $3::int) n JOIN "user" u ON u.sid = $2::text || (1000000000 + n)
  ), joined AS (
    INSERT INTO group_member (group_id, user_id, joined_seq, delivered_seq, delivered_version)
    SELECT made.id, joining.id, 0, joining.seq, joining.version FROM made CROSS JOIN joining
  )
  SELECT id::float8 FROM made ORDER BY id`;

/** $1 groups, $2 messages in each, $3 the sender, $4 the content */
const insertMessages = `
  INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
  SELECT nextval('message_id_seq'), g, seq, u.id, gen_random_uuid(), $4::text, now()
  FROM unnest($1::bigint[]) g CROSS JOIN generate_series(1, $2::bigint) seq JOIN "user" u ON u.sid = $3 ORDER BY g, seq`;

/** Stores groups that nobody's frames could make in a reasonable time. @returns their ids */
export function storeLargeData(databaseUrl: string, data: LargeData): Promise<number[]> {
  const { sids, groups, crowd, messages = 0, content = '', areAcquainted = false } = data;
  // A message that the upkeep has deleted was old.
  const lastSeq = areAcquainted ? messages + 1 : messages;
  return onPostgres(databaseUrl, async (client) => {
    await client.query(createCrowd, [crowdPrefix, crowd]);
    const { rows } = await client.query(createGroups, [sids, crowdPrefix, crowd, groups, lastSeq]);
    const ids: number[] = rows.map(({ id }) => id);
    const sender = `${crowdPrefix}1000000001`;
    if (messages > 0) await client.query(insertMessages, [ids, messages, sender, content]);
    // Else autovacuum would do this during the measurement.
    await client.query('VACUUM ANALYZE "user", "group", group_member, message');
    return ids;
  });
}

/** Holds a group's row, again and again, as a slow statement or an administrator's session does. */
export async function keepRowHeld(databaseUrl: string, groupId: number, holdSeconds: number): Promise<never> {
  for (;;) {
    await onPostgres(databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM "group" WHERE id = $1 FOR UPDATE', [groupId]);
      await client.query('SELECT pg_sleep($1)', [holdSeconds]);
      await client.query('ROLLBACK');
    });
  }
}
