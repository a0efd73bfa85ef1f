import type { AnswerOf, RequestType } from '@hooligram/contract';
import {
  type Acknowledgement,
  type AcknowledgementType,
  type ClientRequestType,
  closeReasons,
  type ErrorCode,
  encodeFrame,
  errorTexts,
  failure,
  isUuid,
  type PayloadOf,
  parseDeliveryId,
  type SoundRequest,
  type SuccessOf,
  type transactions,
  tryAgainIn,
} from '@hooligram/protocol';
import type { GatewayContext } from '../context.ts';
import type { Reply } from '../core/core-client.ts';
import type { User } from '../groups/users.ts';
import type { Session } from '../session.ts';

/** Handles a sound request of one type and sends its answer; resolves when the next may begin. */
export type FrameHandler<T extends ClientRequestType, S extends Session = Session> = (
  context: GatewayContext,
  session: S,
  frame: SoundRequest<T>,
) => Promise<void> | void;

type Transactions = typeof transactions;

/** The requests that are refused before the sign-in. */
export type SignedInRequestType = {
  [N in keyof Transactions]: Transactions[N]['needsSignIn'] extends true ? `${N}_REQUEST` : never;
}[keyof Transactions];

export type SignedInSession = Session & { readonly user: User };

/** Handles a request that is refused before the sign-in. */
export type SignedInHandler<T extends ClientRequestType> = FrameHandler<T, SignedInSession>;

/** Acts on one type of answer that a client gives to a delivery. */
export type AcknowledgementHandler<T extends AcknowledgementType> = (
  context: GatewayContext,
  session: Session,
  frame: Extract<Acknowledgement, { type: T }>,
) => void;

/** A client refused a delivery: that is counted and marks nothing, the delivery stays owed. */
export function countRefusal({ metrics }: GatewayContext, _session: Session, { id }: { id: string }): void {
  metrics.deliveriesRefused.inc({ delivery: parseDeliveryId(id)?.kind ?? 'unknown' });
}

/**
 * A client's id that is a UUID names the request, on whichever connection and core it is repeated. Other ids
 * only pair answers with requests: simple clients count 1, 2, 3 on each connection.
 */
export function idempotence(id: string): { requestId: string | undefined; repeatable: boolean } {
  return isUuid(id)
    ? { requestId: id.toLowerCase(), repeatable: true }
    : { requestId: undefined, repeatable: false };
}

/** Refuses a request because of a limit of this gateway. */
export function refuseFor(
  session: Session,
  { type, id }: { type: ClientRequestType; id: string },
  seconds: number,
  code: ErrorCode = 'tooManyRequests',
): void {
  session.socket.sendLater(failure(type, id, [tryAgainIn(errorTexts[code].text, seconds)]));
}

/** What a request that the core may refuse for some seconds is called, and whom the log names. */
type Limited = { readonly key: string; readonly source: string | number };

/** Where those that are remembered are kept. */
type Known = 'refusals' | 'guessRefusals';

/** Answers as the core did a moment ago, if it refused the same. @returns whether it did */
export function refuseAsBefore(
  { clientLimits }: Pick<GatewayContext, 'clientLimits'>,
  session: Session,
  { type, id }: { type: ClientRequestType; id: string },
  { key, source }: Limited,
  known: Known = 'refusals',
): boolean {
  const error = clientLimits?.[known].find(key);
  if (error === undefined) return false;
  clientLimits?.report.add('known_refusals', source);
  session.socket.sendLater(failure(type, id, [error]));
  return true;
}

/** Remembers what `refuseAsBefore` answers, or that there is nothing any more. */
export function noteRefusal<K extends RequestType>(
  { clientLimits }: Pick<GatewayContext, 'clientLimits'>,
  key: string,
  result: Reply<K>,
  known: Known = 'refusals',
): void {
  if (result.ok) clientLimits?.[known].note(key, []);
  else if (!result.isUnknown) clientLimits?.[known].note(key, result.errors);
}

/**
 * Asks the core, or answers as it did a moment ago when it refused the same.
 * @param limited what a limit of the core counts: all requests of the key get the same refusal
 */
export async function askUnlessRefused<T extends ClientRequestType, K extends RequestType>(
  context: Pick<GatewayContext, 'clientLimits'>,
  session: Session,
  frame: { type: T; id: string },
  limited: Limited,
  ask: () => Promise<Reply<K>>,
): Promise<Reply<K> | undefined> {
  if (refuseAsBefore(context, session, frame, limited)) return undefined;
  const result = await ask();
  noteRefusal(context, limited.key, result);
  return result;
}

/** Answers a request with what the core replied. */
export function reply<T extends ClientRequestType, K extends RequestType>(
  session: Session,
  { type, id }: { type: T; id: string },
  result: Reply<K>,
  payloadOf: (answer: AnswerOf<K>) => PayloadOf<SuccessOf<T>>,
): void {
  if (result.ok) {
    const successType = `${type.slice(0, -'REQUEST'.length)}SUCCESS` as SuccessOf<T>;
    session.socket.sendLater(encodeFrame(successType, id, payloadOf(result.answer)));
  } else if (result.isUnknown) {
    // It may still be committed: a FAILURE could be a lie.
    session.socket.end(closeReasons.outcomeUnknown);
  } else session.socket.sendLater(failure(type, id, result.errors));
}

export const nothing = () => ({});
