import type { Db } from '../session/db.ts';
import { runStatement } from '../statements/statement.ts';

/** What limits have to know of a change of a group that a user asks for. */
type ChangeFacts = {
  /** It has its answer already: this is a second run. Nothing else was looked at then. */
  readonly isAnswered: boolean;
  /**
   * How many of the sids are strangers to the user: they are in no group together in which a message was sent to both more
   * than a day ago. So whoever stays in a group with somebody gets to know them, and whoever leaves it is a stranger
   * again. A sid that no user has is none, nor is the user's own.
   */
  readonly strangers: number;
  /** How many of the sids no user has. */
  readonly unknown: number;
  /** How many members the group has, counted up to a number; 0 if the user is not one of them, or there is no such group. */
  readonly members: number;
};

type Question = {
  readonly user_id: number;
  readonly request_id: string;
  /** Distinct ones. */
  readonly sids: readonly string[];
  /** Of which the members are counted; of none unless given. */
  readonly group_id?: number;
  readonly membersMax?: number;
};

/** Somebody's oldest groups; who is only in newer ones counts as a stranger. It bounds what a look costs. */
const groupsMax = 200;

// Who is a stranger: what counts is the first message that was sent to both. Nobody can make it older, by old groups of their
// own either. One that is gone was old: the upkeep has deleted it.
const statement = {
  name: 'change_facts',
  text: `
WITH answered AS MATERIALIZED (
  SELECT FROM request r WHERE r.user_id = $1 AND r.request_id = $2 AND r.answer IS NOT NULL
), named AS MATERIALIZED (
  SELECT u.id FROM unnest($3::text[]) AS s (sid) LEFT JOIN "user" u ON u.sid = s.sid COLLATE "C"
  WHERE NOT EXISTS (SELECT FROM answered)
), mine AS MATERIALIZED (
  SELECT m.group_id, m.joined_seq FROM group_member m
  WHERE m.user_id = $1 AND NOT EXISTS (SELECT FROM answered)
  ORDER BY m.group_id LIMIT ${groupsMax}
)
SELECT
  EXISTS (SELECT FROM answered) AS "isAnswered",
  (SELECT count(*) FROM named WHERE id IS NULL)::int AS unknown,
  (
    SELECT count(*) FROM named u
    WHERE u.id <> $1 AND NOT EXISTS (
      SELECT FROM mine
      JOIN group_member theirs ON theirs.group_id = mine.group_id AND theirs.user_id = u.id
      LEFT JOIN message m ON m.group_id = mine.group_id AND m.seq = greatest(mine.joined_seq, theirs.joined_seq) + 1
      WHERE m.date_created < clock_timestamp() - INTERVAL '1 day'
        OR (m.id IS NULL AND EXISTS (
          SELECT FROM "group" g
          WHERE g.id = mine.group_id AND g.last_seq > greatest(mine.joined_seq, theirs.joined_seq)
        ))
    )
  )::int AS strangers,
  (
    SELECT count(*) FROM (SELECT FROM group_member m WHERE m.group_id = $4 LIMIT $5) counted
    WHERE EXISTS (SELECT FROM group_member m WHERE m.group_id = $4 AND m.user_id = $1)
      AND NOT EXISTS (SELECT FROM answered)
  )::int AS members`,
};

/** Reads all of it in one statement. Changes nothing. */
export async function readChangeFacts(
  db: Db,
  { user_id, request_id, sids, group_id, membersMax = 0 }: Question,
): Promise<ChangeFacts> {
  const values = [user_id, request_id, sids, group_id ?? null, membersMax];
  const [facts] = await runStatement<ChangeFacts>(db, statement, values);
  return facts as ChangeFacts;
}
