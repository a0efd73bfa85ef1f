import { messageLookup } from '@hooligram/db';
import { type Handler, success } from './handler.ts';

/** Finds the group and seq of acknowledged messages that the gateway no longer knows, in the user's groups only. */
export const messageLookupHandler: Handler<'MESSAGE_LOOKUP'> = {
  batchMax: 64,
  concurrency: 1,
  async handle({ db }, batch) {
    const found = await messageLookup(
      db,
      batch.map(({ params }) => params),
    );
    return found.map((places) => success({ found: [...places] }));
  },
};
