import type { Db } from '../session/db.ts';
import { rerun, rowsByPlace, runStatement } from '../statements/statement.ts';
import { type AnonymousOutcomes, anonymousRequestId } from '../verification/anonymous-request.ts';

/**
 * Which request is given up: a user's send, a user's change of a group with its fingerprint, or what a connection
 * requested about codes.
 */
export type Refusable =
  | { type: 'send'; user_id: number; request_id: string }
  | { type: 'change'; user_id: number; request_id: string; fingerprint: string }
  | { type: keyof AnonymousOutcomes; connection_id: string; request_id: string };

const nobody = 0;

/**
 * $1 users, $2 their request ids, $3 fingerprints: a send has none. In the order of their keys: two cores that give up the same
 * requests at once are no deadlock. With a batch that stores two of them they may be one: then one of the two runs again.
 */
const statement = {
  name: 'refuse',
  text: `
SELECT s.ord,
  CASE WHEN s.fingerprint IS NULL THEN refuse_send(s.user_id, s.request_id)
    ELSE refuse_request(s.user_id, s.request_id, s.fingerprint) END AS is_refused
FROM (
  SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[])
    WITH ORDINALITY AS given (user_id, request_id, fingerprint, ord)
  ORDER BY user_id, request_id
) s`,
};

/**
 * Gives requests up: from now on no run of them, however late, can have an effect. All of them in one transaction. A run
 * between its writing and the end of its commit is waited for, whatever that waits for, as long as the statement's timeout
 * allows.
 *
 * @returns for each, in their order, true: it has not happened and never will. False: it has, or has another answer that stands.
 */
export async function refuse(db: Db, requests: readonly Refusable[]): Promise<boolean[]> {
  if (requests.length === 0) return [];
  const keys = requests.map(keyOf);
  const values = [
    keys.map(({ user_id }) => user_id),
    keys.map(({ request_id }) => request_id),
    keys.map(({ fingerprint }) => fingerprint),
  ];
  type Row = { ord: number; is_refused: boolean };
  const rows = await rerun(db, () => runStatement<Row>(db, statement, values));
  return rowsByPlace(requests, rows).map(([row]) => row?.is_refused === true);
}

function keyOf(request: Refusable): { user_id: number; request_id: string; fingerprint: string | null } {
  const { type, request_id } = request;
  if (type === 'send') return { user_id: request.user_id, request_id, fingerprint: null };
  if (type === 'change') return request;
  return { user_id: nobody, request_id: anonymousRequestId(type, request), fingerprint: type };
}
