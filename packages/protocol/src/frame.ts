import type { z } from 'zod';
import { failurePayload, transactions } from './transactions.ts';

type Transactions = typeof transactions;
export type TransactionName = keyof Transactions;

type NameSentBy<Sender> = {
  [N in TransactionName]: Transactions[N]['sender'] extends Sender ? N : never;
}[TransactionName];

/** The one type beside the 30: refuses what is no frame, or a client's frame that its own FAILURE cannot answer. */
export const frameFailureType = 'CONN_FRAME_FAILURE';

/** Every type on the wire, with the schema of its payload. */
type Schemas = { [N in TransactionName as `${N}_REQUEST`]: Transactions[N]['REQUEST'] } & {
  [N in TransactionName as `${N}_SUCCESS`]: Transactions[N]['SUCCESS'];
} & { [N in TransactionName as `${N}_FAILURE`]: Transactions[N]['FAILURE'] } & {
  [frameFailureType]: typeof failurePayload;
};

export type FrameType = keyof Schemas;

/** Requests that clients send. */
export type ClientRequestType = `${NameSentBy<'client'>}_REQUEST`;

/** Requests that the server sends: the deliveries. */
export type DeliveryType = `${NameSentBy<'server'>}_REQUEST`;

/** A client's answers to deliveries. */
export type AcknowledgementType = `${NameSentBy<'server'>}_${'SUCCESS' | 'FAILURE'}`;

export type ClientFrameType = ClientRequestType | AcknowledgementType;
export type ServerFrameType = Exclude<FrameType, ClientFrameType>;

/** The validated payload of a type. */
export type PayloadOf<T extends FrameType> = z.output<Schemas[T]>;

/** One frame; over several types the union of theirs, told apart by `type`. */
export type Frame<T extends FrameType = FrameType> = {
  [U in T]: { readonly id: string; readonly type: U; readonly payload: PayloadOf<U> };
}[T];

/** The SUCCESS of a client's request. */
export type SuccessOf<T extends ClientRequestType> = {
  [N in TransactionName]: T extends `${N}_REQUEST` ? `${N}_SUCCESS` : never;
}[TransactionName];

const names = Object.keys(transactions) as TransactionName[];

const schemas = new Map<string, z.ZodType>(
  names.flatMap((name) =>
    (['REQUEST', 'SUCCESS', 'FAILURE'] as const).map(
      (part) => [`${name}_${part}`, transactions[name][part]] as const,
    ),
  ),
).set(frameFailureType, failurePayload);

const clientRequests = new Set<string>(
  names.filter((name) => transactions[name].sender === 'client').map((name) => `${name}_REQUEST`),
);

const acknowledgements = new Set<string>(
  names
    .filter((name) => transactions[name].sender === 'server')
    .flatMap((name) => [`${name}_SUCCESS`, `${name}_FAILURE`]),
);

const requestsNeedingSignIn = new Set<string>(
  names
    .filter((name) => transactions[name].sender === 'client' && transactions[name].needsSignIn)
    .map((name) => `${name}_REQUEST`),
);

/** The 30 types of the table and `CONN_FRAME_FAILURE`. */
export const frameTypes = [...schemas.keys()] as readonly FrameType[];

export const clientRequestTypes = [...clientRequests] as readonly ClientRequestType[];

export function isFrameType(type: string): type is FrameType {
  return schemas.has(type);
}

export function isClientRequestType(type: string): type is ClientRequestType {
  return clientRequests.has(type);
}

export function isAcknowledgementType(type: string): type is AcknowledgementType {
  return acknowledgements.has(type);
}

/** Whether a request gets FAILURE `not signed in`, whatever else is wrong with it, before the sign-in. */
export function needsSignIn(type: ClientRequestType): boolean {
  return requestsNeedingSignIn.has(type);
}

/** The zod schema of a type's payload, for a description of the API and for clients that check what they get. */
export function payloadSchema<T extends FrameType>(type: T): Schemas[T] {
  return schemas.get(type) as unknown as Schemas[T];
}
