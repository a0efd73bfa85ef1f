import { decodePublication, type GroupState } from '@hooligram/contract';
import type { GatewayContext } from '../context.ts';
import { onEviction, onNudge } from '../delivery/redeliver.ts';
import { openGroups } from '../groups/join.ts';

/** Takes what the core published on the channel of a group or of a person. */
export function receive(context: GatewayContext, bytes: Buffer): void {
  const publication = decodePublication(bytes);
  if (publication?.type === 'messages') {
    context.groups.find(publication.messages.group_id)?.receive(publication.messages);
  } else if (publication?.type === 'state') {
    receiveState(context, publication.state);
  } else if (publication?.type === 'joined') {
    const { user_id, group_id, since } = publication.joined;
    open(context, user_id, group_id, since);
  } else if (publication?.type === 'delivery-check') {
    context.groups.find(publication.check.group_id)?.check(publication.check);
  } else if (publication?.type === 'redelivery-request') {
    void onNudge(context, publication.request);
  } else if (publication?.type === 'eviction') {
    onEviction(context, publication.eviction.user_id);
  }
}

function receiveState(context: GatewayContext, state: GroupState): void {
  context.groups.find(state.group_id)?.apply(state);
  for (const [userId] of state.members) open(context, userId, state.group_id, state.version_seq);
}

/** Nobody here may hold the group yet: its first members hear of it on their own channels. */
function open(context: GatewayContext, userId: number, groupId: number, since: number): void {
  for (const session of context.people.sessionsOf(userId)) {
    if (!session.attachments.has(groupId)) void openGroups(context, session, [groupId], [since]);
  }
}
