import { messageLookup } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** Finds the place of acknowledged messages that the gateway no longer knows, in the person's groups only. */
export const messageLookupHandler: Handler<'MESSAGE_LOOKUP'> = {
  batchMax: 64,
  concurrency: 1,
  async run({ db }, batch) {
    const found = await messageLookup(
      db,
      batch.map(({ params }) => params),
    );
    return found.map((receipts) => success({ found: [...receipts] }));
  },
};
