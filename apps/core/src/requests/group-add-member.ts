import { encodeState } from '@hooligram/contract';
import { addMember } from '@hooligram/db';
import { each, type Handler, refusal, success } from './handler.ts';

const refusals = {
  id_used: 'idAlreadyUsed',
  not_member: 'notAMember',
  closed: 'groupClosed',
  person_unknown: 'personUnknown',
  direct_message: 'directMessageFull',
} as const;

/** Adds a member and tells everybody the new state. Adding a present member changes and tells nothing. */
export const groupAddMember: Handler<'GROUP_ADD_MEMBER'> = {
  batchMax: 32,
  concurrency: 4,
  run: each(async ({ db, outbox, names, audits }, { request_id, params }) => {
    const { user_id, repeatable, group_id, member_sid } = params;
    const added = await addMember(db, { request_id, repeatable, user_id, group_id, member_sid });
    if (!added.ok) return refusal(refusals[added.reason]);
    if (added.state) {
      const state = encodeState(added.state);
      outbox.publish(names.group(group_id), state);
      outbox.publish(names.user(added.added_user_id), state);
      audits.arm(group_id);
    }
    return success({});
  }),
};
