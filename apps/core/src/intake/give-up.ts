import type { CoreRequest, Outcome } from '@hooligram/contract';
import { isInfrastructureError, type Refusable, refuse } from '@hooligram/db';
import type { Context } from '../context.ts';
import { fingerprintOf } from '../publishing/recover-group-changes.ts';
import { refusal } from '../requests/handler.ts';
import { recordDeadLetter } from './dead-letters.ts';
import { recover } from './recovery.ts';

/**
 * Gives up a request that cannot be handled: it becomes a dead letter, and its client gets FAILURE. A tombstone is
 * stored first: neither a repetition nor a run that is still in progress can do what was answered with FAILURE.
 *
 * @returns undefined if the request has had its effect or another answer: FAILURE would be a lie
 * @throws outages of the database; the request must not be answered then
 */
export async function giveUp(
  context: Context,
  request: CoreRequest,
  reason: string,
): Promise<Outcome | undefined> {
  if (!(await isRefused(context, request))) return undefined;
  recordDeadLetter(context, request, reason);
  return refusal('internalError');
}

/**
 * What a refused request answers that may run in another core, too: there it might be done, because its sender has become a
 * member in between. A tombstone keeps that from happening later.
 *
 * @param refused what this run answers @returns that, or what another run did
 * @throws outages of the database; the request must not be answered then
 */
export async function refuseForGood(
  context: Context,
  request: CoreRequest,
  refused: Outcome,
): Promise<Outcome> {
  if (await isRefused(context, request)) return refused;
  // It was done by another run, or it is a refusal that is remembered.
  return (await recover(context, [request]))[0] ?? refused;
}

async function isRefused({ db }: Context, request: CoreRequest): Promise<boolean> {
  const refusable = refusableOf(request);
  if (!refusable) return true;
  try {
    return await refuse(db, refusable);
  } catch (error) {
    if (isInfrastructureError(error)) throw error;
    // A key that the database cannot take: nothing is ever stored under it.
    return true;
  }
}

/** @returns undefined for a request that only reads, or may be done at any time */
function refusableOf(request: CoreRequest): Refusable | undefined {
  const { type, request_id, params } = request;
  switch (type) {
    case 'MESSAGING_SEND':
      return { type: 'send', user_id: params.user_id, request_id };
    case 'GROUP_CREATE':
    case 'GROUP_ADD_MEMBER':
    case 'GROUP_LEAVE':
      return { type: 'change', user_id: params.user_id, request_id, fingerprint: fingerprintOf(request) };
    case 'VERIFICATION_REQUEST_CODE':
      return { type: 'verification_request_code', connection_id: params.connection_id, request_id };
    case 'VERIFICATION_SUBMIT_CODE':
      return { type: 'verification_submit_code', connection_id: params.connection_id, request_id };
    default:
      return undefined;
  }
}
