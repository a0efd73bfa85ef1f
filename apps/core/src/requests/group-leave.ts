import { groupLeave } from '@hooligram/db';
import { publishState } from '../publishing/states.ts';
import { each, type Handler, refusal, success } from './handler.ts';

const refusals = { id_used: 'idAlreadyUsed', not_member: 'notAMember', failed: 'internalError' } as const;

/** Removes the caller from a group and publishes the new state; a group of fewer than two members is closed. */
export const groupLeaveHandler: Handler<'GROUP_LEAVE'> = {
  batchMax: 1,
  concurrency: 3,
  handle: each(async ({ db, publisher, names, deliveryChecks, deadlines }, request) => {
    const { request_id, params } = request;
    const { user_id, repeatable, group_id } = params;
    const left = await groupLeave(db, { request_id, repeatable, user_id, group_id }, deadlines.of(request));
    if (!left.ok) return refusal(refusals[left.reason]);
    publishState({ publisher, names }, left.state);
    deliveryChecks.schedule(group_id);
    return success({ state: left.state });
  }),
};
