/** Before this moment, by the database's clock, something has to be stored to be due. `deadlineMs` is a parameter. */
export const dueBefore = (deadlineMs: string) =>
  `clock_timestamp() - ${deadlineMs}::bigint * INTERVAL '1 millisecond'`;

/**
 * A DeliveryCheck of a group `g`. Dates grow with seq within a group, so the first message from the end that is old
 * enough is the last that is due: reads what is younger than the deadline, and one message more.
 */
export const deliveryCheckColumns = (deadlineMs: string) => `g.id AS group_id, g.version, g.last_seq,
  coalesce((
    SELECT m.seq FROM message m
    WHERE m.group_id = g.id AND m.date_created <= ${dueBefore(deadlineMs)}
    ORDER BY m.seq DESC
    LIMIT 1
  ), 0) AS due_seq,
  CASE WHEN g.date_changed <= ${dueBefore(deadlineMs)} THEN g.version ELSE 0 END AS due_version`;
