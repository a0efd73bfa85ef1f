import type { Db } from '../db.ts';
import { runStatement } from '../statement.ts';

export type MessageQuestion = { user_id: number; message_ids: readonly number[] };
export type FoundMessage = [message_id: number, group_id: number, seq: number];

/** $1 place of the question, $2 person, $3 message. OFFSET 0 as in raise-cursors.ts. */
const statement = {
  name: 'look_up_receipts',
  text: `
SELECT w.ord, m.id, m.group_id, m.seq
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (ord, user_id, message_id)
JOIN message m ON m.id = w.message_id
CROSS JOIN LATERAL (
  SELECT FROM group_member gm
  WHERE gm.group_id = m.group_id AND gm.user_id = w.user_id AND gm.joined_seq < m.seq
  OFFSET 0
) member`,
};

type Row = { ord: number; id: number; group_id: number; seq: number };

/** Which of these messages the person was to get, and where they stand: those of their groups since they joined. */
export async function messageLookup(
  db: Db,
  questions: readonly MessageQuestion[],
): Promise<FoundMessage[][]> {
  const asked = questions.flatMap(({ user_id, message_ids }, ord) =>
    [...new Set(message_ids)].map((message_id) => ({ ord, user_id, message_id })),
  );
  const receipts: FoundMessage[][] = questions.map(() => []);
  if (asked.length === 0) return receipts;
  const rows = await runStatement<Row>(db, statement, [
    asked.map(({ ord }) => ord),
    asked.map(({ user_id }) => user_id),
    asked.map(({ message_id }) => message_id),
  ]);
  for (const { ord, id, group_id, seq } of rows) receipts[ord]?.push([id, group_id, seq]);
  for (const list of receipts) list.sort((a, b) => a[0] - b[0]);
  return receipts;
}
