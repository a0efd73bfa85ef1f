import { EncodedJson } from '@hooligram/bus';
import type { AnswerOf, Outcome, ParamsOf, RequestType } from '@hooligram/contract';
import { type ErrorCode, errorTexts, tryAgainIn } from '@hooligram/protocol';
import type { Context } from '../context.ts';

/** A request as its handler receives it. */
export type HandlerRequest<K extends RequestType> = {
  readonly request_id: string;
  readonly params: ParamsOf<K>;
  /** Milliseconds since the epoch, by Redis's clock: a statement that changes something refuses after it. */
  readonly deadline?: number;
  /** The context of the span that handles it, if it is traced. */
  readonly trace?: string;
  /** Another copy of it may have been counted by a limit already. */
  readonly again?: boolean;
};

/**
 * Handles the requests of one type, many at once.
 *
 * Called again with the same `request_id` it must have no second effect and give the same outcome, and must publish
 * again: the core that ran it first may have died before it published.
 */
export type Handler<K extends RequestType> = {
  /** Most requests in one call; with 1 each request has a call of its own, whose failure harms no other. */
  readonly batchMax: number;
  /** Calls in progress at once in this process. Above 1 only where order between connections does not matter. */
  readonly concurrency: number;
  /** Calls in progress at once for one source, if that is less: what keeps it waiting must not keep the others waiting. */
  readonly sourceMax?: number;
  /** The row that a request has to lock: while somebody else holds it, the request waits by itself. */
  rowOf?(params: ParamsOf<K>): number;
  /** Which of these rows are locked at this moment. */
  lockedRows?(context: Context, rows: readonly number[]): Promise<ReadonlySet<number>>;
  /**
   * @returns one outcome per request, in order; undefined while another run is in progress and its outcome not known
   * @throws what the database threw; either nothing was stored then, or that is not known
   */
  handle(context: Context, batch: readonly HandlerRequest<K>[]): Promise<(Outcome<K> | undefined)[]>;
};

export function success<A>(answer: A): { ok: true; answer: A } {
  return { ok: true, answer };
}

/**
 * An answer that is JSON text already: it is published as it is, and nobody here reads its fields.
 * @param json as the contract has the answer: the gateway checks that
 */
export function encodedAnswer<K extends RequestType>(json: string): AnswerOf<K> {
  return new EncodedJson(json) as unknown as AnswerOf<K>;
}

export function refusal(...codes: ErrorCode[]): { ok: false; errors: string[] } {
  return { ok: false, errors: codes.map((code) => errorTexts[code].text) };
}

/** A limit stands in the way for so many seconds. */
export function limited(code: ErrorCode, seconds: number): { ok: false; errors: string[] } {
  return { ok: false, errors: [tryAgainIn(errorTexts[code].text, seconds)] };
}

/** The error that each reason of the database package for not doing a request becomes. */
export const refusalCodes = {
  id_used: 'idAlreadyUsed',
  not_member: 'notAMember',
  closed: 'groupClosed',
  user_unknown: 'userUnknown',
  direct_message: 'directMessageFull',
  failed: 'internalError',
} as const;

/** @param errors faults of fields, each with its place: `payload.phone_number: must …` */
export function faulty(errors: readonly string[]): { ok: false; errors: string[] } {
  return { ok: false, errors: [...errors] };
}

/**
 * For calls that wait for a provider, a second and more: so many places that many sources find one, and so few for each
 * that a few sources do not take all of them.
 */
export const providerCalls = { concurrency: 512, sourceMax: 16 } as const;

/** For requests that share no statement. */
export function each<K extends RequestType>(
  handle: (context: Context, request: HandlerRequest<K>) => Promise<Outcome<K> | undefined>,
): Handler<K>['handle'] {
  return (context, batch) => Promise.all(batch.map((request) => handle(context, request)));
}
