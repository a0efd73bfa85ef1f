import { cursorRaise } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/**
 * Writes how far users have acknowledged. Cursors commute, so their order does not matter. Acknowledgements of another
 * epoch say nothing about the messages of this one, and are dropped.
 */
export const cursorRaiseHandler: Handler<'CURSOR_RAISE'> = {
  batchMax: 64,
  concurrency: 1,
  async handle({ db }, batch) {
    const { current } = db.epoch;
    const cursors = batch.flatMap(({ params }) => ((params.epoch ?? 0) === current ? params.cursors : []));
    await cursorRaise(db, cursors, current);
    return batch.map(() => success({}));
  },
};
