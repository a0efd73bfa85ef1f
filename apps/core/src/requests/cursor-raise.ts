import { raiseCursors } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** Writes how far people have acknowledged. Cursors commute, so their order does not matter. */
export const cursorRaise: Handler<'CURSOR_RAISE'> = {
  batchMax: 64,
  concurrency: 1,
  async run({ db }, batch) {
    await raiseCursors(
      db,
      batch.flatMap(({ params }) => params.cursors),
    );
    return batch.map(() => success({}));
  },
};
