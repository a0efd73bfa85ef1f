import type { AnswerOf } from '@hooligram/contract';
import { type Db, readCredentialVersions, readGroupIds, replayGroups } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** A user of more groups is asked for in a request of its own, so that this answer stays small. */
const groupIdsMax = 200;

type AtSignIn = Pick<AnswerOf<'REPLAY_GROUPS'>, 'all_group_ids' | 'credential_version'>;

/** Where users stand in their groups, read in one snapshot; of those who sign in, which groups they have. */
export const replayGroupsHandler: Handler<'REPLAY_GROUPS'> = {
  batchMax: 64,
  concurrency: 2,
  async handle({ db }, batch) {
    const questions = batch.map(({ params }) => params);
    const signingIn = questions.flatMap(({ user_id, is_sign_in }) => (is_sign_in ? [user_id] : []));
    const [read, atSignIn] = await Promise.all([replayGroups(db, questions), readAtSignIn(db, signingIn)]);
    return read.map((memberships, index) => {
      const { user_id, is_sign_in } = questions[index] as (typeof questions)[number];
      return success({ memberships, ...(is_sign_in && atSignIn.get(user_id)) });
    });
  },
};

async function readAtSignIn(db: Db, userIds: readonly number[]): Promise<Map<number, AtSignIn>> {
  const [groups, versions] = await Promise.all([
    readGroupIds(db, userIds),
    readCredentialVersions(db, userIds),
  ]);
  return new Map(
    userIds.flatMap((user_id, index) => {
      const all_group_ids = groups[index]?.map(({ group_id }) => group_id) ?? [];
      if (all_group_ids.length > groupIdsMax) return [];
      return [[user_id, { all_group_ids, credential_version: versions[index] ?? 0 }] as const];
    }),
  );
}
