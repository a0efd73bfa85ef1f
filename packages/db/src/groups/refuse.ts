import type { Db } from '../session/db.ts';
import { callFunction } from '../statements/statement.ts';
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
  return (await callFunction<{ is_refused: boolean }>(db, statement, values)).is_refused;
}

function statementOf(request: Refusable): [typeof refuseSend, unknown[]] {
  const { type, request_id } = request;
  if (type === 'send') return [refuseSend, [request.user_id, request_id]];
  if (type === 'change') return [refuseRequest, [request.user_id, request_id, request.fingerprint]];
  return [refuseRequest, [nobody, anonymousRequestId(type, request), type]];
}
