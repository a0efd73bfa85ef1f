import type { CoreRequest, Outcome } from '@hooligram/contract';
import { isInfrastructureError, isRerunnable, type Refusable, refuse } from '@hooligram/db';
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
 * @throws outages of the database, and what may succeed when it is run again; the request must not be answered then
 */
export async function giveUp(
  context: Context,
  request: CoreRequest,
  reason: string,
): Promise<Outcome | undefined> {
  if ((await refuseAll(context, [request])).length > 0) return undefined;
  recordDeadLetter(context, request, reason);
  return refusal('internalError');
}

/**
 * Makes refusals of requests stay that may run in another core, too: there each might be done, because its sender has become a
 * member in between. Tombstones keep that from happening later.
 *
 * @returns what another run did, of those that it did
 * @throws outages of the database, and what may succeed when it is run again; none of the requests must be answered then
 */
export async function refuseForGood(
  context: Context,
  requests: readonly CoreRequest[],
): Promise<ReadonlyMap<CoreRequest, Outcome>> {
  // Those were done by another run, or it is a refusal that is remembered.
  const others = await refuseAll(context, requests);
  const outcomes = await recover(context, others);
  const done = others.flatMap((request, place) => {
    const outcome = outcomes[place];
    return outcome ? [[request, outcome] as const] : [];
  });
  return new Map(done);
}

/**
 * Stores tombstones for these requests, with one statement.
 * @returns those that can have none: each has had its effect or has another answer
 */
async function refuseAll({ db }: Context, requests: readonly CoreRequest[]): Promise<CoreRequest[]> {
  const refusable = requests.flatMap((request) => {
    const key = refusableOf(request);
    return key ? [{ request, key }] : [];
  });
  try {
    const areRefused = await refuse(
      db,
      refusable.map(({ key }) => key),
    );
    return refusable.flatMap(({ request }, place) => (areRefused[place] ? [] : [request]));
  } catch (error) {
    // A key that the database cannot take: nothing is ever stored under it. Of several it is not known which one it is.
    // One that met others each time it was run again can be taken.
    if (isInfrastructureError(error) || isRerunnable(error) || requests.length > 1) throw error;
    return [];
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
