import { lookUpReceipts } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** Finds the place of acknowledged messages that the gateway no longer knows, in the person's groups only. */
export const receiptLookup: Handler<'RECEIPT_LOOKUP'> = {
  batchMax: 64,
  concurrency: 1,
  async run({ db }, batch) {
    const found = await lookUpReceipts(
      db,
      batch.map(({ params }) => params),
    );
    return found.map((receipts) => success({ found: [...receipts] }));
  },
};
