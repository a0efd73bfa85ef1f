import { onPostgres } from '@hooligram/local';

/** $1 the first phone number, $2 how many users. The user behind the last of them is in the second kind of groups. */
const joinCrowd = `
  WITH made AS (
    INSERT INTO "group" (name, is_direct_message) VALUES ('crowd', false) RETURNING id
  )
  INSERT INTO group_member (group_id, user_id, joined_seq)
  SELECT made.id, u.id, 0
  FROM generate_series($1::bigint, $1::bigint + $2::bigint - 1) number
  JOIN "user" u ON u.sid = '1.' || number CROSS JOIN made
  RETURNING group_id`;

const joinMany = `
  WITH others AS (
    SELECT u.id, row_number() OVER (ORDER BY u.id) AS place
    FROM generate_series($1::bigint, $1::bigint + $2::bigint - 1) number JOIN "user" u ON u.sid = '1.' || number
  ), made AS (
    INSERT INTO "group" (name, is_direct_message) SELECT 'one of many', false FROM others RETURNING id
  ), numbered AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM made
  )
  INSERT INTO group_member (group_id, user_id, joined_seq)
  SELECT numbered.id, member.id, 0
  FROM numbered JOIN others USING (place)
  CROSS JOIN LATERAL (
    SELECT others.id UNION ALL SELECT u.id FROM "user" u WHERE u.sid = '1.' || ($1::bigint + $2::bigint)
  ) member`;

/**
 * Stores a group of many users, and for each of them a group with one user more. No frame could name so many members.
 * @param firstNumber the phone number of the first user; all have signed up, and none is connected
 * @returns the id of the large group
 */
export function storeBig(databaseUrl: string, firstNumber: number, users: number): Promise<number> {
  return onPostgres(databaseUrl, async (client) => {
    const { rows, rowCount } = await client.query(joinCrowd, [firstNumber, users]);
    if (rowCount !== users) throw new Error(`${rowCount} of ${users} users have signed up`);
    await client.query(joinMany, [firstNumber, users]);
    // Else autovacuum would do this during the measurement.
    await client.query('VACUUM ANALYZE');
    return Number(rows[0]?.group_id);
  });
}
