import type { Db } from '../db.ts';
import { runStatement } from '../statement.ts';
import { anonymousRequestId } from './fingerprint.ts';

/**
 * Which request is given up. Of somebody (`user_id`): a send, or a change of a group with its fingerprint. Of nobody:
 * what a connection asked about codes.
 */
export type Refusable =
  | { type: 'send'; user_id: number; request_id: string }
  | { type: 'change'; user_id: number; request_id: string; fingerprint: string }
  | { type: 'record_challenge' | 'submit_challenge'; connection_id: string; request_id: string };

const nobody = 0;
const refuseSend = { name: 'refuse_send', text: 'SELECT refuse_send($1, $2) AS is_refused' };
const refuseRequest = { name: 'refuse_request', text: 'SELECT refuse_request($1, $2, $3) AS is_refused' };

/**
 * Gives a request up: from now on no run of it, however late, can have an effect. A run between its writing and the
 * end of its commit is waited for, whatever that waits for, as long as the statement's timeout allows.
 *
 * @returns true: it has not happened and never will. False: it has, or has another answer that stands.
 */
export async function refuse(db: Db, request: Refusable): Promise<boolean> {
  const [statement, values] = statementOf(request);
  const [row] = await runStatement<{ is_refused: boolean }>(db, statement, values);
  return row?.is_refused === true;
}

function statementOf(request: Refusable): [typeof refuseSend, unknown[]] {
  const { type, request_id } = request;
  if (type === 'send') return [refuseSend, [request.user_id, request_id]];
  if (type === 'change') return [refuseRequest, [request.user_id, request_id, request.fingerprint]];
  return [refuseRequest, [nobody, anonymousRequestId(type, request), type]];
}
