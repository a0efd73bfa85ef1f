import type { GatewayContext } from '../context.ts';
import { endEarlierSessions } from './ended-credentials.ts';

const groupsPerRequest = 1_000;
const usersPerRequest = 50;
const pauseMs = 1_000;

/**
 * After this gateway's subscriptions broke: fetches what was published in its groups, and looks for groups to which
 * its users were added.
 */
export async function resync(context: GatewayContext): Promise<void> {
  const { groups, log, metrics, users } = context;
  const begunAt = performance.now();
  metrics.resyncs.inc();
  await fetchMissed(context);
  await findGroups(context, users.ids());
  log.info(
    { groups: groups.size, users: users.size, tookMs: Math.round(performance.now() - begunAt) },
    'looked for everything that was published while this gateway could not hear',
  );
}

/**
 * Reads how far the groups are, many at a time and one request after the other, and fetches those that are behind. A
 * group whose first read is under way is fetched behind it.
 */
async function fetchMissed({ core, groups }: GatewayContext): Promise<void> {
  const ids = groups.ids();
  for (let start = 0; start < ids.length; start += groupsPerRequest) {
    const group_ids = ids.slice(start, start + groupsPerRequest);
    const reply = await core.request('GROUP_HEADS', { group_ids });
    const heads = new Map(
      (reply.ok ? reply.answer.heads : []).map(([id, version, lastSeq]) => [id, { version, lastSeq }]),
    );
    for (const id of group_ids) groups.find(id)?.catchUpWith(heads.get(id));
  }
}

/** Looks for groups to which users were added without a publication that got here. */
export async function findGroups(context: GatewayContext, userIds: readonly number[]): Promise<void> {
  const { users, groups } = context;
  for (let start = 0; start < userIds.length; start += usersPerRequest) {
    const user_ids = userIds.slice(start, start + usersPerRequest);
    const reply = await requestUntilAnswered(context, user_ids);
    if (!reply) continue;
    for (const [index, userId] of user_ids.entries()) {
      const version = reply.answer.credential_versions?.[index] ?? 0;
      endEarlierSessions(context, { user_id: userId, version, connection_id: '' });
      for (const connection of users.connectionsOf(userId)) {
        const missing = reply.answer.group_ids[index]?.filter((id) => !connection.isIn(id)) ?? [];
        if (missing.length > 0) void groups.join(connection, missing);
      }
    }
  }
}

/**
 * Nothing else looks for these users' groups, so this is not given up while one of the users is here. When the database
 * has another epoch there is no answer for them any more; then all of them are sent away.
 */
async function requestUntilAnswered({ core, users }: GatewayContext, user_ids: number[]) {
  while (user_ids.some((userId) => users.find(userId))) {
    const reply = await core.request('GROUP_IDS', { user_ids });
    if (reply.ok) return reply;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return undefined;
}
