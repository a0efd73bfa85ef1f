import type { StoredMessage } from '@hooligram/contract';
import { replayPages } from '@hooligram/db';
import { deliveryFrame } from '../publishing/delivery-frame.ts';
import { bytesInJson } from './bytes-in-json.ts';
import { type Handler, refusal, success } from './handler.ts';

/**
 * Most bytes of a page's messages, as they leave: a frame is JSON in the answer's JSON, and a control character of a
 * message grows sevenfold by that. With its head a page fits into one publication.
 */
const pageBytesMax = 255 * 1_024;
/** Of a message's seq and id, with what stands between them. */
const placeBytes = 32;

/** The messages after a seq of a group, oldest first. */
export const replayPageHandler: Handler<'REPLAY_PAGE'> = {
  batchMax: 8,
  concurrency: 2,
  async handle({ db, replica, config }, batch) {
    const questions = batch.map(({ params }) => params);
    const { REPLAY_PAGE_MESSAGES: limit } = config;
    const pages = await (replica ? replica.pages(db, questions, limit) : replayPages(db, questions, limit));
    return pages.map((page, index) => {
      if (!page) return refusal('notAMember');
      const { group_id, version, last_seq } = page;
      const messages = withinPage(
        page.messages.map((message) => [
          message.seq,
          message.message_id,
          deliveryFrame({ group_id, ...message }),
        ]),
      );
      return success({
        group_id,
        version,
        last_seq,
        through_seq: messages.at(-1)?.[0] ?? Math.max(batch[index]?.params.after_seq ?? 0, last_seq),
        messages,
      });
    });
  },
};

/** @returns the first of them, at least one, as many as a page may hold */
function withinPage(messages: readonly StoredMessage[]): readonly StoredMessage[] {
  let bytes = 0;
  const end = messages.findIndex(([, , frame], index) => {
    bytes += bytesInJson(frame) + placeBytes;
    return index > 0 && bytes > pageBytesMax;
  });
  return end < 0 ? messages : messages.slice(0, end);
}
