import type { GatewayContext } from './context.ts';
import { openGroups } from './opening.ts';

const usersPerRequest = 200;

/**
 * After this gateway could not hear: fetches what was published in its groups, and looks for groups to which its
 * people were added.
 */
export async function resync(context: GatewayContext): Promise<void> {
  context.metrics.resynced();
  for (const group of context.groups.all()) group.refresh();
  const userIds = context.people.ids();
  for (let start = 0; start < userIds.length; start += usersPerRequest) {
    const user_ids = userIds.slice(start, start + usersPerRequest);
    const reply = await context.core.ask('GROUP_IDS', { user_ids });
    if (!reply.ok) continue;
    for (const [index, userId] of user_ids.entries()) {
      for (const session of context.people.sessionsOf(userId)) {
        const missing = reply.answer.group_ids[index]?.filter((id) => !session.attachments.has(id)) ?? [];
        if (missing.length > 0) void openGroups(context, session, missing);
      }
    }
  }
}
