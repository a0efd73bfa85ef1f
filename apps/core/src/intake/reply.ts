import type { CoreAnswer, Outcome } from '@hooligram/contract';
import type { Db } from '@hooligram/db';

/** What the gateway receives. It names the epoch of the database: what a gateway knows of another epoch is void. */
export function replyOf({ epoch: { current } }: Db, ref: number, outcome: Outcome): CoreAnswer {
  return current === 0 ? { ref, ...outcome } : { ref, epoch: current, ...outcome };
}
