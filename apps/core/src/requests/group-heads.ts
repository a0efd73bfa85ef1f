import { type GroupHead, readGroupHeads } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** How far groups are. */
export const groupHeadsHandler: Handler<'GROUP_HEADS'> = {
  batchMax: 8,
  concurrency: 1,
  async handle({ db }, batch) {
    const groupIds = [...new Set(batch.flatMap(({ params }) => params.group_ids))];
    const heads = new Map((await readGroupHeads(db, groupIds)).map((head) => [head[0], head]));
    return batch.map(({ params }) =>
      success({
        heads: params.group_ids.map((id) => heads.get(id)).filter((head): head is GroupHead => !!head),
      }),
    );
  },
};
