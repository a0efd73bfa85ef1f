import type { Db } from '../session/db.ts';
import { type Fit, isFit, type ReplicaDb } from '../session/replica.ts';
import { rowsByPlace, runStatement, type Statement } from '../statements/statement.ts';

export type PageQuestion = {
  group_id: number;
  after_seq: number;
  /** Most messages in this page, if less than in any. */
  limit?: number;
};

type PageMessage = {
  seq: number;
  message_id: number;
  sender_sid: string;
  content: string;
  /** ISO 8601, UTC, milliseconds */
  date_created: string;
};

export type Page = {
  group_id: number;
  version: number;
  last_seq: number;
  /** What follows `after_seq` without a gap, oldest first; the page is not the last if it ends before last_seq. */
  messages: PageMessage[];
};

const messagesMax = 256;
const contentBytesMax = 262_144;
const nothing: readonly unknown[] = [];

/**
 * $1 groups, $2 after which seq; $3 messages (one number a page) and $4 bytes of content at most in each page, but at
 * least one message. Rows of groups (`seq` null), and rows of messages. One statement, so one snapshot.
 */
const pagesText = (condition = '') => `
WITH asked AS MATERIALIZED (
  SELECT a.ord, a.after_seq, a.messages_max, g.id AS group_id, g.version, g.last_seq
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY
    AS a (group_id, after_seq, messages_max, ord)
  JOIN "group" g ON g.id = a.group_id${condition}
)
SELECT a.ord, a.version, a.last_seq,
  NULL::bigint AS seq, NULL::bigint AS message_id, NULL AS sender_sid, NULL AS content, NULL AS date_created
FROM asked a
UNION ALL
SELECT a.ord, NULL, NULL, m.seq, m.id, u.sid, m.content, wire_date(m.date_created)
FROM asked a
CROSS JOIN LATERAL (
  SELECT m.*, sum(octet_length(m.content)) OVER (ORDER BY m.seq ROWS UNBOUNDED PRECEDING)
    - octet_length(m.content) AS bytes_before
  FROM (
    SELECT m.id, m.seq, m.sender_id, m.content, m.date_created FROM message m
    WHERE m.group_id = a.group_id AND m.seq > a.after_seq
    ORDER BY m.seq
    LIMIT a.messages_max
  ) m
) m
JOIN "user" u ON u.id = m.sender_id
WHERE m.bytes_before < $4::bigint`;

const statement = { name: 'replay_pages', text: pagesText() };
/** $5, $6, $7: see `isFit`. A standby that is not fit reads no page. */
const replicaStatement = {
  name: 'replica_pages',
  text: pagesText(`\n  WHERE ${isFit('$5', '$6', '$7')}`),
};

type GroupRow = { seq: null; version: number; last_seq: number };
type Row = { ord: number } & (GroupRow | PageMessage);

/** What follows in each of these groups; null for a group that does not exist. Says nothing of who may see it. */
export async function replayPages(
  db: Db,
  questions: readonly PageQuestion[],
  limit: number = messagesMax,
): Promise<(Page | null)[]> {
  return readPages(db, statement, questions, limit, nothing);
}

/**
 * The same, as a standby has it: of the past, and consistent, because seqs have no gaps and messages never change.
 *
 * @returns null also for a group that it does not have yet, and for all groups if it is not `fit`
 */
export async function replicaPages(
  replica: ReplicaDb,
  { epoch, identity, wal }: Fit,
  questions: readonly PageQuestion[],
  limit: number = messagesMax,
): Promise<(Page | null)[]> {
  return readPages(replica, replicaStatement, questions, limit, [epoch, identity, wal]);
}

async function readPages(
  on: Db | ReplicaDb,
  statement: Statement,
  questions: readonly PageQuestion[],
  limit: number,
  more: readonly unknown[],
): Promise<(Page | null)[]> {
  if (questions.length === 0) return [];
  const rows = await runStatement<Row>(on, statement, [
    questions.map((question) => question.group_id),
    questions.map((question) => question.after_seq),
    questions.map((question) => Math.min(question.limit ?? limit, limit)),
    contentBytesMax,
    ...more,
  ]);
  const found = rowsByPlace(questions, rows);
  return questions.map(({ group_id }, at) => pageOf(group_id, found[at] ?? []));
}

function pageOf(group_id: number, rows: readonly (GroupRow | PageMessage)[]): Page | null {
  const group = rows.find((row) => row.seq === null);
  if (!group) return null;
  const { version, last_seq } = group;
  const messages: PageMessage[] = [];
  for (const row of rows) {
    if (row.seq === null) continue;
    const { seq, message_id, sender_sid, content, date_created } = row;
    messages.push({ seq, message_id, sender_sid, content, date_created });
  }
  return { group_id, version, last_seq, messages: messages.sort((a, b) => a.seq - b.seq) };
}
