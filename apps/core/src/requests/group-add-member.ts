import { groupAddMember } from '@hooligram/db';
import { groupAddMemberPermit, permitted } from '../limits/group-limits.ts';
import { publishState } from '../publishing/states.ts';
import { each, faulty, type Handler, refusal, refusalCodes, success } from './handler.ts';

/** Adds a member and publishes the new state. Adding a present member changes and publishes nothing. */
export const groupAddMemberHandler: Handler<'GROUP_ADD_MEMBER'> = {
  batchMax: 1,
  concurrency: 3,
  rowOf: ({ group_id }) => group_id,
  handle: each(async (context, request) => {
    const { db, numbers, deadlines } = context;
    const { request_id, params } = request;
    const { user_id, repeatable, group_id, member_sid } = params;
    return permitted(await groupAddMemberPermit(context, request), async () => {
      const added = await groupAddMember(
        db,
        { request_id, repeatable, user_id, group_id, member_sid },
        deadlines.of(request),
      );
      if (!added.ok) {
        const fault = added.reason === 'user_unknown' ? numbers.faultOf(member_sid) : undefined;
        if (fault?.writtenAs) return faulty([`payload.member_sid: ${fault.text}`]);
        return refusal(refusalCodes[added.reason]);
      }
      if (added.state) await publishState(context, added.state, [added.added_user_id]);
      return success({});
    });
  }),
};
