import { replayGroups } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** Where users stand in their groups, read in one snapshot. */
export const replayGroupsHandler: Handler<'REPLAY_GROUPS'> = {
  batchMax: 64,
  concurrency: 2,
  async handle({ db }, batch) {
    const read = await replayGroups(
      db,
      batch.map(({ params }) => params),
    );
    return read.map((memberships) => success({ memberships }));
  },
};
