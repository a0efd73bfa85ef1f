import { replayPages } from '@hooligram/db';
import { deliveryFrame } from '../publishing/delivery-frame.ts';
import { type Handler, refusal, success } from './handler.ts';

/** The messages after a seq of a group, oldest first, and the group's state if the gateway's is older. */
export const replayPageHandler: Handler<'REPLAY_PAGE'> = {
  batchMax: 32,
  concurrency: 2,
  async handle({ db, config }, batch) {
    const pages = await replayPages(
      db,
      batch.map(({ params }) => params),
      config.REPLAY_PAGE_MESSAGES,
    );
    return pages.map((page, index) => {
      if (!page) return refusal('notAMember');
      const { group_id, version, state, last_seq } = page;
      return success({
        group_id,
        version,
        state,
        last_seq,
        through_seq: page.messages.at(-1)?.seq ?? Math.max(batch[index]?.params.after_seq ?? 0, last_seq),
        messages: page.messages.map((message) => [
          message.seq,
          message.message_id,
          deliveryFrame({ group_id, ...message }),
        ]),
      });
    });
  },
};
