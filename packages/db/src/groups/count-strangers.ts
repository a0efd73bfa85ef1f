import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

/** Somebody's oldest groups; who is only in newer ones counts as a stranger. It bounds what a look costs. */
const groupsMax = 200;

// What counts is the first message that was sent to both: nobody can make it older, by old groups of their own either.
// One that is gone was old: the upkeep has deleted it.
const statement = {
  name: 'count_strangers',
  text: `
WITH mine AS MATERIALIZED (
  SELECT m.group_id, m.joined_seq FROM group_member m WHERE m.user_id = $1 ORDER BY m.group_id LIMIT ${groupsMax}
)
SELECT count(*)::int AS strangers
FROM unnest($2::text[]) AS s (sid) JOIN "user" u ON u.sid = s.sid COLLATE "C"
WHERE u.id <> $1 AND NOT EXISTS (
  SELECT FROM mine
  JOIN group_member theirs ON theirs.group_id = mine.group_id AND theirs.user_id = u.id
  LEFT JOIN message m ON m.group_id = mine.group_id AND m.seq = greatest(mine.joined_seq, theirs.joined_seq) + 1
  WHERE m.date_created < clock_timestamp() - INTERVAL '1 day'
    OR (m.id IS NULL AND EXISTS (
      SELECT FROM "group" g
      WHERE g.id = mine.group_id AND g.last_seq > greatest(mine.joined_seq, theirs.joined_seq)
    ))
)`,
};

/**
 * How many of these are strangers to a user: they are in no group together in which a message was sent to both more than a
 * day ago. So whoever stays in a group with somebody gets to know them, and whoever leaves it is a stranger again. A sid
 * that no user has is none.
 *
 * @param sids distinct ones; the user's own is none
 */
export async function countStrangers(
  db: Db,
  { user_id, sids }: { user_id: number; sids: readonly string[] },
): Promise<number> {
  const [row] = await runStatement<{ strangers: number }>(db, statement, [user_id, sids]);
  return row?.strangers ?? 0;
}
