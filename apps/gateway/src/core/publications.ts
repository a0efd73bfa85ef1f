import { decodePublication } from '@hooligram/contract';
import type { GatewayContext } from '../context.ts';
import { onEviction, onRedeliveryRequest } from '../delivery/redeliver.ts';
import { endEarlierSessions } from './ended-credentials.ts';

/** Takes what a core, or another gateway, published on the channel of a group or of a user. */
export function receivePublication(context: GatewayContext, bytes: Buffer): void {
  const publication = decodePublication(bytes);
  // A newer core's: the core of this release publishes nothing else.
  if (!publication) return;
  switch (publication.type) {
    case 'messages':
      context.groups.find(publication.messages.group_id)?.receive(publication.messages);
      return;
    case 'state': {
      const { state } = publication;
      context.groups.find(state.group_id)?.apply(state);
      for (const [userId] of state.members) join(context, userId, state.group_id, state.version_seq);
      return;
    }
    case 'joined': {
      const { user_id, group_id, since } = publication.joined;
      join(context, user_id, group_id, since);
      return;
    }
    case 'delivery-check':
      context.groups.find(publication.check.group_id)?.check(publication.check);
      return;
    case 'redelivery-request':
      void onRedeliveryRequest(context, publication.request);
      return;
    case 'eviction':
      onEviction(context, publication.eviction.user_id);
      return;
    case 'credential-changed':
      endEarlierSessions(context, publication.changed);
      return;
    case 'traced-messages':
      context.traces?.announced(publication.traced);
      return;
    case 'user-connections':
      context.connectionsElsewhere?.receive(publication.connections);
      return;
    case 'connections-asked':
      context.connectionsElsewhere?.asked(publication.asked.user_id);
      return;
    default:
      publication satisfies never;
  }
}

/** Perhaps no connection here is in the group yet: its first members hear of it on their own channels. */
function join({ users, groups }: GatewayContext, userId: number, groupId: number, since: number): void {
  for (const connection of users.connectionsOf(userId)) {
    if (!connection.isIn(groupId)) void groups.join(connection, [groupId], [since]);
  }
}
