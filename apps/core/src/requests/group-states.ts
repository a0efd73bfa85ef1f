import { readGroupStates } from '@hooligram/db';
import { each, encodedAnswer, type Handler, success } from './handler.ts';

/** Most bytes of states in one answer; a larger one is answered alone. */
const statesBytesMax = 255 * 1_024;

/** The states of groups, as many as fit into an answer. The database has made them as JSON, and so they are passed on. */
export const groupStatesHandler: Handler<'GROUP_STATES'> = {
  // A state may be of thousands of members: each request has a statement of its own, and makes no other wait for it.
  batchMax: 1,
  concurrency: 2,
  handle: each(async ({ db }, { params: { group_ids } }) => {
    const { states, looked } = await readGroupStates(db, group_ids, statesBytesMax);
    return success(encodedAnswer<'GROUP_STATES'>(`{"states":[${states.join()}],"looked":${looked}}`));
  }),
};
