import { groupLeave } from '@hooligram/db';
import { publishState } from '../publishing/states.ts';
import { each, type Handler, refusal, success } from './handler.ts';

const refusals = { id_used: 'idAlreadyUsed', not_member: 'notAMember', failed: 'internalError' } as const;

/** Takes the caller out of a group and tells those who remain; fewer than two close it. */
export const groupLeaveHandler: Handler<'GROUP_LEAVE'> = {
  batchMax: 1,
  concurrency: 3,
  run: each(async ({ db, publisher, names, audits, deadlines }, asked) => {
    const { request_id, params } = asked;
    const { user_id, repeatable, group_id } = params;
    const left = await groupLeave(db, { request_id, repeatable, user_id, group_id }, deadlines.of(asked));
    if (!left.ok) return refusal(refusals[left.reason]);
    publishState({ publisher, names }, left.state);
    audits.arm(group_id);
    return success({ state: left.state });
  }),
};
