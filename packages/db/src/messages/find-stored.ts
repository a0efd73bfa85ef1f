import type { Db } from '../session/db.ts';
import { rowsByPlace, runStatement } from '../statements/statement.ts';

type Stored = {
  message_id: number;
  seq: number;
  /** The group's current one: at least the one under which the message was stored. */
  version: number;
  group_id: number;
  content: string;
  /** ISO 8601, UTC, milliseconds */
  date_created: string;
};

/** $1 senders, $2 their request ids. */
const statement = {
  name: 'find_stored',
  text: `
SELECT s.ord, m.id AS message_id, m.seq, g.version, m.group_id, m.content, wire_date(m.date_created) AS date_created
FROM unnest($1::bigint[], $2::uuid[]) WITH ORDINALITY AS s (sender_id, request_id, ord)
CROSS JOIN LATERAL (
  SELECT * FROM message m WHERE m.sender_id = s.sender_id AND m.request_id = s.request_id LIMIT 1
) m
JOIN "group" g ON g.id = m.group_id`,
};

/** What is stored already of these sends, in their order; null for what is not. Stores nothing. */
export async function findStored(
  db: Db,
  sends: readonly { readonly sender_id: number; readonly request_id: string }[],
): Promise<(Stored | null)[]> {
  if (sends.length === 0) return [];
  const rows = await runStatement<Stored & { ord: number }>(db, statement, [
    sends.map((send) => send.sender_id),
    sends.map((send) => send.request_id),
  ]);
  return rowsByPlace(sends, rows).map(([stored = null]) => stored);
}
