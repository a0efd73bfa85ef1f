import { groupAddMember } from '@hooligram/db';
import { publishJoined, publishState } from '../publishing/states.ts';
import { each, faulty, type Handler, refusal, success } from './handler.ts';

const refusals = {
  id_used: 'idAlreadyUsed',
  not_member: 'notAMember',
  closed: 'groupClosed',
  person_unknown: 'personUnknown',
  direct_message: 'directMessageFull',
  failed: 'internalError',
} as const;

/** Adds a member and publishes the new state. Adding a present member changes and publishes nothing. */
export const groupAddMemberHandler: Handler<'GROUP_ADD_MEMBER'> = {
  batchMax: 1,
  concurrency: 3,
  handle: each(async ({ db, publisher, names, deliveryChecks, numbers, deadlines }, request) => {
    const { request_id, params } = request;
    const { user_id, repeatable, group_id, member_sid } = params;
    const added = await groupAddMember(
      db,
      { request_id, repeatable, user_id, group_id, member_sid },
      deadlines.of(request),
    );
    if (!added.ok) {
      const fault = added.reason === 'person_unknown' ? numbers.faultOf(member_sid) : undefined;
      if (fault?.writtenAs) return faulty([`payload.member_sid: ${fault.text}`]);
      return refusal(refusals[added.reason]);
    }
    if (added.state) {
      publishState({ publisher, names }, added.state);
      publishJoined({ publisher, names }, added.added_user_id, added.state);
      deliveryChecks.schedule(group_id);
    }
    return success({});
  }),
};
