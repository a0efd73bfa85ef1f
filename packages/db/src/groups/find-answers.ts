import type { GroupState } from '@hooligram/contract';
import type { Db } from '../session/db.ts';
import { rowsByPlace, runStatement } from '../statements/statement.ts';

type FoundAnswer = {
  /** What was asked under this id, as `fingerprint` makes it: another one is another request. */
  fingerprint: string;
  /** As the request's function stored it. */
  answer: { ok: boolean; [field: string]: unknown };
  /** The group's state as it is now, if the request changed or found one: for members who have not received it. */
  state: GroupState | null;
};

/** $1 users, $2 their request ids. A request that changed nothing says so, and nobody needs to receive its state. */
const statement = {
  name: 'find_answers',
  text: `
SELECT s.ord, r.fingerprint, r.answer,
  CASE WHEN coalesce((r.answer -> 'changed')::boolean, true)
    THEN group_state((r.answer ->> 'group_id')::bigint) END AS state
FROM unnest($1::bigint[], $2::uuid[]) WITH ORDINALITY AS s (user_id, request_id, ord)
CROSS JOIN LATERAL (
  SELECT * FROM request r
  WHERE r.user_id = s.user_id AND r.request_id = s.request_id AND r.answer IS NOT NULL
  LIMIT 1
) r`,
};

/** The answers that stand for these changing requests, in their order; null for what has not run. Changes nothing. */
export async function findAnswers(
  db: Db,
  requests: readonly { readonly user_id: number; readonly request_id: string }[],
): Promise<(FoundAnswer | null)[]> {
  if (requests.length === 0) return [];
  const rows = await runStatement<FoundAnswer & { ord: number }>(db, statement, [
    requests.map((request) => request.user_id),
    requests.map((request) => request.request_id),
  ]);
  return rowsByPlace(requests, rows).map(([answer = null]) => answer);
}
