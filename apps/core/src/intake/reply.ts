import type { CoreAnswer, Outcome } from '@hooligram/contract';
import type { Context } from '../context.ts';
import { refusal } from '../requests/handler.ts';

/** Sends a gateway the outcome of a request, with the epoch of the database: what it knows of another epoch is void. */
export function reply({ db, publisher }: Context, node: string, ref: number, outcome: Outcome): void {
  const { current } = db.epoch;
  publisher.answer(node, current === 0 ? { ref, ...outcome } : { ref, epoch: current, ...outcome });
}

/** In place of an answer that cannot be sent: its request alone is refused. */
export function refusalInstead(answer: object): object {
  const { ref, epoch } = answer as CoreAnswer;
  return { ref, ...(epoch !== undefined && { epoch }), ...refusal('internalError') };
}
