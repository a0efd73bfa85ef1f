import { groupCreate } from '@hooligram/db';
import { type ErrorCode, listFaultsMax } from '@hooligram/protocol';
import { groupCreatePermit, permitted } from '../limits/group-limits.ts';
import { publishState } from '../publishing/states.ts';
import { each, faulty, type Handler, refusal, refusalCodes, success } from './handler.ts';

/** Creates a group, or finds the open direct message of the pair, and publishes it to every member. */
export const groupCreateHandler: Handler<'GROUP_CREATE'> = {
  batchMax: 1,
  concurrency: 3,
  handle: each(async (context, request) => {
    const { db, numbers, deadlines } = context;
    const { request_id, params } = request;
    const { user_id, sid, repeatable, group_name } = params;
    const member_sids = [...new Set(params.member_sids)];
    const faults = faultsOf(sid, group_name, member_sids);
    if (faults.length > 0) return refusal(...faults);
    return permitted(await groupCreatePermit(context, request, member_sids), async () => {
      const numberFaults = await numbers.faultsOfUnknown(db, member_sids);
      if (numberFaults.size > 0) return faulty(faultTextsOf(params.member_sids, numberFaults));

      const created = await groupCreate(
        db,
        { request_id, repeatable, user_id, sid, group_name, member_sids },
        deadlines.of(request),
      );
      if (!created.ok) return refusal(refusalCodes[created.reason]);

      await publishState(
        context,
        created.state,
        created.state.members.map(([member_id]) => member_id),
      );
      return success({ group_id: created.group_id });
    });
  }),
};

function faultsOf(creator: string, group_name: string, member_sids: readonly string[]): ErrorCode[] {
  const faults: ErrorCode[] = [];
  if (member_sids.length < 2) faults.push('tooFewMembers');
  if (!member_sids.includes(creator)) faults.push('creatorMissing');
  if (group_name === '' && member_sids.length !== 2) faults.push('groupNameEmpty');
  return faults;
}

/** As the gateway reports the faults of a list: the first of them, and how many more there are. */
function faultTextsOf(sids: readonly string[], faults: ReadonlyMap<string, { text: string }>): string[] {
  const all = sids.flatMap((sid, index) => {
    const fault = faults.get(sid);
    return fault ? [`payload.member_sids[${index}]: ${fault.text}`] : [];
  });
  const untold = all.length - listFaultsMax;
  if (untold <= 0) return all;
  return [...all.slice(0, listFaultsMax), `payload.member_sids: has ${untold} more faulty elements`];
}
