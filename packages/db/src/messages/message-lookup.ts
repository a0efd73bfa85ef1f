import type { Db } from '../session/db.ts';
import { rowsByPlace, runStatement } from '../statements/statement.ts';

type MessageQuestion = { user_id: number; message_ids: readonly number[] };
type FoundMessage = [message_id: number, group_id: number, seq: number];

/** $1 place of the question, $2 user, $3 message. OFFSET 0 as in cursor-raise.ts. */
const statement = {
  name: 'message_lookup',
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

/** Which of these messages the user was to get, with group and seq: those of their groups since they joined. */
export async function messageLookup(
  db: Db,
  questions: readonly MessageQuestion[],
): Promise<FoundMessage[][]> {
  const asked = questions.flatMap(({ user_id, message_ids }, at) =>
    [...new Set(message_ids)].map((message_id) => ({ ord: at + 1, user_id, message_id })),
  );
  if (asked.length === 0) return questions.map(() => []);
  const rows = await runStatement<Row>(db, statement, [
    asked.map(({ ord }) => ord),
    asked.map(({ user_id }) => user_id),
    asked.map(({ message_id }) => message_id),
  ]);
  return rowsByPlace(questions, rows).map((found) =>
    found.map(({ id, group_id, seq }): FoundMessage => [id, group_id, seq]).sort((a, b) => a[0] - b[0]),
  );
}
