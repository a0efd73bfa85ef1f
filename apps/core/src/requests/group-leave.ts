import { groupLeave } from '@hooligram/db';
import { publishState } from '../publishing/states.ts';
import { each, type Handler, refusal, refusalCodes, success } from './handler.ts';

/** Removes the caller from a group and publishes the new state; a group of fewer than two members is closed. */
export const groupLeaveHandler: Handler<'GROUP_LEAVE'> = {
  batchMax: 1,
  concurrency: 3,
  rowOf: ({ group_id }) => group_id,
  handle: each(async (context, request) => {
    const { db, deadlines } = context;
    const { request_id, params } = request;
    const { user_id, repeatable, group_id } = params;
    const left = await groupLeave(db, { request_id, repeatable, user_id, group_id }, deadlines.of(request));
    if (!left.ok) return refusal(refusalCodes[left.reason]);
    await publishState(context, left.state);
    return success({ state: left.state });
  }),
};
