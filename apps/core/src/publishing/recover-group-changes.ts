import type { CoreRequest, Outcome } from '@hooligram/contract';
import { findAnswers, groupFingerprints } from '@hooligram/db';
import type { Context } from '../context.ts';
import { leaveAnswer } from '../requests/group-leave.ts';
import { success } from '../requests/handler.ts';
import { publishState } from './states.ts';

export type GroupChange = Extract<CoreRequest, { type: 'GROUP_CREATE' | 'GROUP_ADD_MEMBER' | 'GROUP_LEAVE' }>;

/** Publishes and answers the changes of groups that an earlier run made; refusals are left to the client's repetition. */
export async function recoverGroupChanges(
  context: Context,
  requests: readonly CoreRequest[],
  outcomes: Map<CoreRequest, Outcome>,
): Promise<void> {
  const changes = requests.filter(isGroupChange);
  if (changes.length === 0) return;
  const answers = await findAnswers(
    context.db,
    changes.map(({ request_id, params }) => ({ user_id: params.user_id, request_id })),
  );
  for (const [index, change] of changes.entries()) {
    const found = answers[index];
    // The same id with another payload is another request, and that one did not run.
    if (!found?.state || found.fingerprint !== fingerprintOf(change)) continue;
    const { state } = found;
    await publishState(
      context,
      state,
      state.members.map(([user_id]) => user_id),
    );
    if (change.type === 'GROUP_CREATE') outcomes.set(change, success({ group_id: state.group_id }));
    else if (change.type === 'GROUP_ADD_MEMBER') outcomes.set(change, success({}));
    else outcomes.set(change, success(leaveAnswer(change.params, state)));
  }
}

function isGroupChange(request: CoreRequest): request is GroupChange {
  return ['GROUP_CREATE', 'GROUP_ADD_MEMBER', 'GROUP_LEAVE'].includes(request.type);
}

export function fingerprintOf({ type, params }: GroupChange): string {
  if (type === 'GROUP_CREATE') return groupFingerprints.create(params.group_name, params.member_sids);
  if (type === 'GROUP_LEAVE') return groupFingerprints.leave(params.group_id);
  return groupFingerprints.add(params.group_id, params.member_sid);
}
