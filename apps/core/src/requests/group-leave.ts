import {
  type AnswerOf,
  type GroupState,
  type GroupVersion,
  type ParamsOf,
  publishedMembersMax,
} from '@hooligram/contract';
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
    const leave = { request_id, repeatable, user_id, group_id };
    const left = await groupLeave(db, leave, deadlines.of(request), membersMaxOf(params));
    if (!left.ok) return refusal(refusalCodes[left.reason]);
    await publishState(context, left.state);
    return success(leaveAnswer(params, left.state));
  }),
};

type Params = ParamsOf<'GROUP_LEAVE'>;

/** @param change the group as it is now */
export function leaveAnswer(params: Params, change: GroupState | GroupVersion): AnswerOf<'GROUP_LEAVE'> {
  const isTold = 'members' in change && change.members.length <= membersMaxOf(params);
  return isTold ? { state: change } : { state: null, version: change.version };
}

/** A gateway of an earlier release needs the members, however many there are. */
function membersMaxOf({ reads_state }: Params): number {
  return reads_state ? publishedMembersMax : Number.MAX_SAFE_INTEGER;
}
