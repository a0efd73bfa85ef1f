import { groupCreate } from '@hooligram/db';
import { type ErrorCode, listFaultsMax } from '@hooligram/protocol';
import { publishJoined, publishState } from '../publishing/states.ts';
import { each, faulty, type Handler, refusal, success } from './handler.ts';

const refusals = { id_used: 'idAlreadyUsed', failed: 'internalError' } as const;

/** Creates a group, or finds the open direct message of the pair, and tells every member. */
export const groupCreateHandler: Handler<'GROUP_CREATE'> = {
  batchMax: 1,
  concurrency: 3,
  run: each(async ({ db, publisher, names, audits, numbers, deadlines }, asked) => {
    const { request_id, params } = asked;
    const { user_id, sid, repeatable, group_name } = params;
    const member_sids = [...new Set(params.member_sids)];
    const faults = faultsOf(sid, group_name, member_sids);
    if (faults.length > 0) return refusal(...faults);
    const strange = await numbers.faultsOfUnknown(db, member_sids);
    if (strange.size > 0) return faulty(numberFaults(params.member_sids, strange));

    const created = await groupCreate(
      db,
      { request_id, repeatable, user_id, sid, group_name, member_sids },
      deadlines.of(asked),
    );
    if (!created.ok) return refusal(refusals[created.reason]);

    publishState({ publisher, names }, created.state);
    // A gateway that holds no other member is not listening to the group yet, but to its people.
    for (const [member_id] of created.state.members)
      publishJoined({ publisher, names }, member_id, created.state);
    audits.arm(created.group_id);
    return success({ group_id: created.group_id });
  }),
};

function faultsOf(creator: string, group_name: string, member_sids: readonly string[]): ErrorCode[] {
  const faults: ErrorCode[] = [];
  if (member_sids.length < 2) faults.push('tooFewMembers');
  if (!member_sids.includes(creator)) faults.push('creatorMissing');
  if (group_name === '' && member_sids.length !== 2) faults.push('groupNameEmpty');
  return faults;
}

/** Told as the gateway tells the faults of a list: the first of them, and how many more there are. */
function numberFaults(sids: readonly string[], faults: ReadonlyMap<string, { text: string }>): string[] {
  const all = sids.flatMap((sid, index) => {
    const fault = faults.get(sid);
    return fault ? [`payload.member_sids[${index}]: ${fault.text}`] : [];
  });
  const untold = all.length - listFaultsMax;
  if (untold <= 0) return all;
  return [...all.slice(0, listFaultsMax), `payload.member_sids: has ${untold} more faulty elements`];
}
