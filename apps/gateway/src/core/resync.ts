import { setTimeout as pause } from 'node:timers/promises';
import type { ParamsOf } from '@hooligram/contract';
import type { GatewayContext } from '../context.ts';
import type { Reply } from './core-client.ts';
import { endEarlierSessions } from './ended-credentials.ts';

const groupsPerRequest = 1_000;
const usersPerRequest = 50;
/** Longest rest between two requests; it is as long as the one before took. */
const restMaxMs = 500;
const pauseMs = 1_000;
const pauseMaxMs = 8_000;

/** Fetches what this gateway may have missed on one Redis: see `resync`. One is under way at a time. */
export class Resync {
  readonly #context: () => GatewayContext;
  readonly #livesHere: (id: number) => boolean;
  #underWay: GatewayContext | undefined;
  #isWantedAgain = false;

  /**
   * @param context of the database's epoch, now
   * @param livesHere whether a group or a user lives on that Redis
   */
  constructor(context: () => GatewayContext, livesHere: (id: number) => boolean) {
    this.#context = context;
    this.#livesHere = livesHere;
  }

  /** Begins one. Behind one that is under way, because that has read some of the groups already. */
  start(): void {
    const context = this.#context();
    if (this.#underWay === context) this.#isWantedAgain = true;
    else void this.#run(context);
  }

  async #run(context: GatewayContext): Promise<void> {
    this.#underWay = context;
    try {
      do {
        this.#isWantedAgain = false;
        await resync(context, this.#livesHere, () => this.#isWantedAgain);
      } while (this.#isWantedAgain && this.#underWay === context);
    } finally {
      if (this.#underWay === context) this.#underWay = undefined;
    }
  }
}

/**
 * After this gateway's subscriptions on one Redis broke: fetches what was published in the groups that live there, and
 * looks for groups to which the users who live there were added.
 *
 * @param isWantedAgain ends it after the groups: heads first, also after a second break
 */
export async function resync(
  context: GatewayContext,
  livesHere: (id: number) => boolean,
  isWantedAgain = () => false,
): Promise<void> {
  const { groups, log, metrics, users } = context;
  const begunAt = performance.now();
  const groupIds = groups.ids().filter(livesHere);
  const userIds = users.ids().filter(livesHere);
  metrics.resyncs.inc();
  await fetchMissed(context, groupIds);
  await findGroups(context, userIds, isWantedAgain);
  log.info(
    {
      groups: groupIds.length,
      users: userIds.length,
      tookMs: Math.round(performance.now() - begunAt),
      see: 'docs/runbook.md#redisconnectionsbreak',
    },
    'looked for everything that was published while this gateway could not hear',
  );
}

/**
 * Reads how far the groups are, many at a time and one request after the other, and fetches those that are behind, in
 * their turns. A group whose first read is under way is fetched behind it.
 */
async function fetchMissed(context: GatewayContext, ids: readonly number[]): Promise<void> {
  const { groups } = context;
  let tookMs = 0;
  for (let start = 0; start < ids.length; start += groupsPerRequest) {
    // Those who chat do not wait for all of them.
    if (start > 0) await pause(Math.min(restMaxMs, tookMs));
    const begunAt = performance.now();
    const group_ids = ids.slice(start, start + groupsPerRequest);
    const reply = await untilAnswered(context, 'GROUP_HEADS', { group_ids }, () =>
      group_ids.some((id) => groups.find(id)),
    );
    tookMs = performance.now() - begunAt;
    if (!reply) continue;
    const heads = new Map(reply.answer.heads.map(([id, version, lastSeq]) => [id, { version, lastSeq }]));
    for (const id of group_ids) groups.find(id)?.catchUpWith(heads.get(id));
  }
}

/** Looks for groups to which users were added without a publication that got here. */
export async function findGroups(
  context: GatewayContext,
  userIds: readonly number[],
  isOver = () => false,
): Promise<void> {
  const { users, groups } = context;
  for (let start = 0; start < userIds.length; start += usersPerRequest) {
    if (isOver()) return;
    const user_ids = userIds.slice(start, start + usersPerRequest);
    const reply = await untilAnswered(context, 'GROUP_IDS', { user_ids }, () =>
      user_ids.some((userId) => users.find(userId)),
    );
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
 * Nothing else looks for these groups, so this is not given up while one of them, or of the users, is here; it is asked
 * for with growing pauses. When the database has another epoch there is no answer any more; then all are sent away.
 */
async function untilAnswered<K extends 'GROUP_HEADS' | 'GROUP_IDS'>(
  { core }: GatewayContext,
  type: K,
  params: ParamsOf<K>,
  isNeeded: () => boolean,
): Promise<Extract<Reply<K>, { ok: true }> | undefined> {
  for (let waitMs = pauseMs; isNeeded(); waitMs = Math.min(2 * waitMs, pauseMaxMs)) {
    const reply = await core.request(type, params);
    if (reply.ok) return reply;
    await pause(waitMs);
  }
  return undefined;
}
