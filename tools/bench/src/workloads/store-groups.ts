import { onPostgres } from '@hooligram/local';

const batchGroups = 1_000;

/** $1 the number of groups; $2 and $3 the members: which of the groups, from 1 on, and the sid of a user */
const createGroups = `
  WITH made AS (
    INSERT INTO "group" (name, is_direct_message) SELECT 'idle', false FROM generate_series(1, $1::int) RETURNING id
  ), numbered AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM made
  )
  INSERT INTO group_member (group_id, user_id, joined_seq)
  SELECT numbered.id, u.id, 0
  FROM unnest($2::bigint[], $3::text[]) AS member (place, sid)
  JOIN numbered USING (place)
  JOIN "user" u ON u.sid = member.sid COLLATE "C"
  ORDER BY 1, 2`;

/**
 * Stores groups of users who have signed up and are away; they receive them when they sign in. Created by clients, 60,000
 * groups would take an hour.
 * @param groups the sids of the members of each
 */
export async function storeGroups(
  databaseUrl: string,
  groups: readonly (readonly string[])[],
): Promise<void> {
  await onPostgres(databaseUrl, async (client) => {
    for (let from = 0; from < groups.length; from += batchGroups) {
      const batch = groups.slice(from, from + batchGroups);
      const places = batch.flatMap((members, index) => members.map(() => index + 1));
      const { rowCount } = await client.query(createGroups, [batch.length, places, batch.flat()]);
      if (rowCount !== places.length) throw new Error('a member of a group has not signed up');
    }
    // Else autovacuum would do this during the measurement.
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  });
}
