import type { GatewayContext } from '../context.ts';
import { openGroups } from '../groups/join.ts';

const usersPerRequest = 200;
const pauseMs = 1_000;

/**
 * After this gateway could not hear: fetches what was published in its groups, and looks for groups to which its
 * people were added.
 */
export async function resync(context: GatewayContext): Promise<void> {
  context.metrics.resynced();
  for (const group of context.groups.all()) group.refresh();
  await findGroups(context, context.people.ids());
}

/** Looks for groups to which people were added without this gateway hearing of it. */
export async function findGroups(context: GatewayContext, userIds: readonly number[]): Promise<void> {
  for (let start = 0; start < userIds.length; start += usersPerRequest) {
    const user_ids = userIds.slice(start, start + usersPerRequest);
    const reply = await askUntilAnswered(context, user_ids);
    if (!reply) continue;
    for (const [index, userId] of user_ids.entries()) {
      for (const session of context.people.sessionsOf(userId)) {
        const missing = reply.answer.group_ids[index]?.filter((id) => !session.attachments.has(id)) ?? [];
        if (missing.length > 0) void openGroups(context, session, missing);
      }
    }
  }
}

/**
 * Nobody else looks for these people's groups, so this is not given up while one of them is here. When the database
 * has another epoch there is no answer for them any more; then all of them are sent away.
 */
async function askUntilAnswered({ core, people }: GatewayContext, user_ids: number[]) {
  while (user_ids.some((userId) => people.has(userId))) {
    const reply = await core.ask('GROUP_IDS', { user_ids });
    if (reply.ok) return reply;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return undefined;
}
