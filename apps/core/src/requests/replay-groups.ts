import type { AnswerOf, ParamsOf } from '@hooligram/contract';
import { type GroupsAtSignIn, groupsAtSignIn, replayGroups } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** A user of more groups is asked for in a request of its own, so that this answer stays small. */
const groupIdsMax = 200;

type Question = ParamsOf<'REPLAY_GROUPS'>;
type Answer = AnswerOf<'REPLAY_GROUPS'>;

/**
 * Where users stand in their groups, and of those who sign in, which groups they have. What is read of those is all of
 * it: no other statement reads any of their groups.
 */
export const replayGroupsHandler: Handler<'REPLAY_GROUPS'> = {
  batchMax: 64,
  concurrency: 2,
  async handle({ db }, batch) {
    const questions = batch.map(({ params }) => params);
    const signingIn = questions.filter(({ is_sign_in }) => is_sign_in);
    const userIds = [...new Set(signingIn.map(({ user_id }) => user_id))];
    const read = await groupsAtSignIn(db, userIds, groupIdsMax);
    const known = new Map(userIds.map((user_id, index) => [user_id, read[index]]));
    const answers = questions.map((question) =>
      question.is_sign_in ? answerOf(question, known.get(question.user_id)) : undefined,
    );
    const others = questions.filter((_, index) => !answers[index]);
    const memberships = await replayGroups(db, others);
    const ofOthers = new Map(others.map((question, index) => [question, memberships[index] ?? []]));
    return questions.map((question, index) =>
      success(answers[index] ?? { memberships: ofOthers.get(question) ?? [] }),
    );
  },
};

/** @returns undefined if the user has too many groups for it */
function answerOf({ group_ids }: Question, read: GroupsAtSignIn | undefined): Answer | undefined {
  if (!read?.memberships) return undefined;
  const all_group_ids = read.memberships.map(({ group_id }) => group_id);
  const asked = new Set(group_ids);
  return {
    memberships: read.memberships.filter(({ group_id }) => asked.has(group_id)),
    all_group_ids,
    credential_version: read.credentialVersion,
  };
}
