import type { CoreAnswer, Outcome, ParamsOf, RequestType } from '@hooligram/contract';
import { type ErrorCode, errorTexts } from '@hooligram/protocol';
import type { Context } from '../context.ts';

export type Asked<K extends RequestType> = {
  readonly request_id: string;
  readonly params: ParamsOf<K>;
  /** Milliseconds since the epoch, by Redis's clock: a statement that changes something refuses behind it. */
  readonly deadline?: number;
};

/**
 * Answers the requests of one type, many at once.
 *
 * Called again with the same `request_id` it must have no second effect and give the same outcome, and must
 * publish again: whoever ran it first may have died before it told anybody.
 */
export type Handler<K extends RequestType> = {
  /** Most requests in one call; with 1 each request has a call of its own, whose trouble is no other's. */
  readonly batchMax: number;
  /** Calls under way at once in this process. Above 1 only where order between connections does not matter. */
  readonly concurrency: number;
  /**
   * @returns one outcome a request, in order; undefined where another run is under way, and it is not known yet
   * @throws what the database threw; nothing was stored then, or it is not known
   */
  run(context: Context, batch: readonly Asked<K>[]): Promise<(Outcome<K> | undefined)[]>;
};

export function success<A>(answer: A): { ok: true; answer: A } {
  return { ok: true, answer };
}

export function refusal(...codes: ErrorCode[]): { ok: false; errors: string[] } {
  return { ok: false, errors: codes.map((code) => errorTexts[code].text) };
}

/** What is wrong with fields, as their faults are told: `payload.phone_number: must …`. */
export function faulty(errors: readonly string[]): { ok: false; errors: string[] } {
  return { ok: false, errors: [...errors] };
}

/** What a gateway is told, with the epoch of the database in which it holds: what it remembers of another is gone. */
export function answerOf({ db }: Pick<Context, 'db'>, ref: number, outcome: Outcome): CoreAnswer {
  const { current } = db.epoch;
  return current === 0 ? { ref, ...outcome } : { ref, epoch: current, ...outcome };
}

/** For requests that share no statement. */
export function each<K extends RequestType>(
  run: (context: Context, asked: Asked<K>) => Promise<Outcome<K> | undefined>,
): Handler<K>['run'] {
  return (context, batch) => Promise.all(batch.map((asked) => run(context, asked)));
}
