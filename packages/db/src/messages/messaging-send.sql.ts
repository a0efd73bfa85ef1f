/**
 * Stores a batch of messages: one statement, its own transaction.
 *
 * $1 sender ids, $2 request ids, $3 whether the client chose the id, $4 group ids, $5 contents; no two sends of
 * one sender with the same id. $6 the earliest of their deadlines, by the database's clock, or null. Answers a row for
 * each send, by its place in the batch (`ord`, from 1), except for those of a member whose group is closed, which have
 * none.
 *
 * - The request_id is looked up before the membership: a repeat after leaving or closing gets its answer.
 * - A tombstone (`refuse_send`) is found by that same look-up: it is a message of group 0, which has no version.
 * - The deadline is checked behind each lock, and the function that raises the error is only called once it has passed:
 *   then the statement fails as a whole. A session's messages to two groups are stored in their order or not at all.
 * - The groups' rows are locked in the order of their ids. While the statement waits there, others commit; its
 *   snapshot stays old. `last_seq`, `version` and `closed` come from its own UPDATE ... RETURNING alone, which
 *   does see the newest row. (Membership is the snapshot's: a user who leaves at that moment may have sent before.)
 * - Ids and dates are drawn after the locks, in the order of seq, so within a group they grow with it.
 * - No ON CONFLICT: skipping a row whose request_id another core has just stored would leave a gap in seq. The
 *   unique violation rolls all back, and the rerun answers that send from what is there.
 * - LATERAL ... LIMIT 1, and arrays that carry a group's sends through the UPDATE: each table is reached by key,
 *   and nothing is joined with the batch itself, whose size the planner can only guess.
 */
export const messagingSendStatement = {
  name: 'messaging_send',
  text: `
WITH checked AS MATERIALIZED (
  SELECT s.ord, s.sender_id, s.request_id, s.group_id, s.content,
    stored.id AS message_id, stored.seq, stored.date_created, stored.version, stored.is_same,
    used.by_request, member.is_member
  FROM unnest($1::bigint[], $2::uuid[], $3::boolean[], $4::bigint[], $5::text[])
    WITH ORDINALITY AS s (sender_id, request_id, repeatable, group_id, content, ord)
  LEFT JOIN LATERAL (
    SELECT m.id, m.seq, m.date_created, g.version,
      m.group_id = s.group_id AND m.content = s.content AS is_same
    FROM message m LEFT JOIN "group" g ON g.id = m.group_id
    WHERE m.sender_id = s.sender_id AND m.request_id = s.request_id
    LIMIT 1
  ) stored ON true
  LEFT JOIN LATERAL (
    SELECT true AS by_request FROM request r
    WHERE s.repeatable AND r.user_id = s.sender_id AND r.request_id = s.request_id
    LIMIT 1
  ) used ON true
  LEFT JOIN LATERAL (
    SELECT true AS is_member FROM group_member m
    WHERE m.group_id = s.group_id AND m.user_id = s.sender_id
    LIMIT 1
  ) member ON true
),
grouped AS MATERIALIZED (
  SELECT c.group_id, count(*) AS sends,
    array_agg(c.ord ORDER BY c.ord) AS ords,
    array_agg(c.sender_id ORDER BY c.ord) AS sender_ids,
    array_agg(c.request_id ORDER BY c.ord) AS request_ids,
    array_agg(c.content ORDER BY c.ord) AS contents
  FROM checked c
  WHERE c.message_id IS NULL AND c.by_request IS NULL AND c.is_member
  GROUP BY c.group_id
),
locked AS MATERIALIZED (
  SELECT s.* FROM grouped s JOIN "group" g ON g.id = s.group_id
  ORDER BY g.id
  FOR NO KEY UPDATE OF g
),
updated AS MATERIALIZED (
  UPDATE "group" g SET last_seq = g.last_seq + l.sends
  FROM locked l
  WHERE g.id = l.group_id AND NOT g.closed
    AND CASE WHEN clock_timestamp() > to_timestamp($6::float8 / 1000)
      THEN within_deadline(to_timestamp($6::float8 / 1000)) ELSE true END
  RETURNING g.id AS group_id, g.version, g.last_seq - l.sends AS seq_before,
    l.ords, l.sender_ids, l.request_ids, l.contents
),
numbered AS MATERIALIZED (
  SELECT nextval('message_id_seq') AS id, clock_timestamp()::timestamptz(3) AS date_created, o.*
  FROM (
    SELECT u.group_id, u.version, u.seq_before + s.place AS seq, s.ord, s.sender_id, s.request_id, s.content
    FROM updated u
    CROSS JOIN LATERAL unnest(u.ords, u.sender_ids, u.request_ids, u.contents)
      WITH ORDINALITY AS s (ord, sender_id, request_id, content, place)
    ORDER BY u.group_id, s.place
  ) o
),
inserted AS (
  INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
  SELECT n.id, n.group_id, n.seq, n.sender_id, n.request_id, n.content, n.date_created FROM numbered n
)
SELECT n.ord, 'new' AS status, n.id AS message_id, n.seq, n.version, wire_date(n.date_created) AS date_created
FROM numbered n
UNION ALL
SELECT c.ord,
  CASE
    WHEN c.message_id IS NOT NULL AND c.version IS NULL THEN 'failed'
    WHEN c.message_id IS NOT NULL AND c.is_same THEN 'stored'
    WHEN c.message_id IS NOT NULL OR c.by_request THEN 'id_used'
    ELSE 'not_member'
  END,
  c.message_id, c.seq, c.version, wire_date(c.date_created)
FROM checked c
WHERE c.message_id IS NOT NULL OR c.by_request OR c.is_member IS NULL`,
};
