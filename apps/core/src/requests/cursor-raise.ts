import { cursorRaise } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/**
 * Writes how far people have acknowledged. Cursors commute, so their order does not matter. What was acknowledged in
 * another epoch says nothing of the messages in this one, and is forgotten.
 */
export const cursorRaiseHandler: Handler<'CURSOR_RAISE'> = {
  batchMax: 64,
  concurrency: 1,
  async run({ db }, batch) {
    const { current } = db.epoch;
    const cursors = batch.flatMap(({ params }) => ((params.epoch ?? 0) === current ? params.cursors : []));
    await cursorRaise(db, cursors, current);
    return batch.map(() => success({}));
  },
};
