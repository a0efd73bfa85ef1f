import { readCredentialVersions, readGroupIds } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** The groups of several users. */
export const groupIdsHandler: Handler<'GROUP_IDS'> = {
  batchMax: 32,
  concurrency: 2,
  async handle({ db }, batch) {
    const userIds = [...new Set(batch.flatMap(({ params }) => params.user_ids))];
    const [read, readVersions] = await Promise.all([
      readGroupIds(db, userIds),
      readCredentialVersions(db, userIds),
    ]);
    const versions = new Map(userIds.map((user_id, index) => [user_id, readVersions[index] ?? 0]));
    const byUser = new Map(
      userIds.map((user_id, index) => [user_id, (read[index] ?? []).map(({ group_id }) => group_id)]),
    );
    return batch.map(({ params }) =>
      success({
        group_ids: params.user_ids.map((user_id) => byUser.get(user_id) ?? []),
        credential_versions: params.user_ids.map((user_id) => versions.get(user_id) ?? 0),
      }),
    );
  },
};
