import { hasAtMostCharacters } from './characters.ts';
import { type Checked, checkPayload } from './faults.ts';
import { faultTexts } from './fields.ts';
import {
  type AcknowledgementType,
  type ClientRequestType,
  type Frame,
  isAcknowledgementType,
  isClientRequestType,
  isFrameType,
} from './frame.ts';
import { idCharactersMax } from './limits.ts';

/** A type that ends like a request's; its answer is the same name with FAILURE. */
export type RequestLikeType = `${string}_REQUEST`;

/** A known request without a fault; `type` tells the payload. */
export type SoundRequest<T extends ClientRequestType = ClientRequestType> = {
  [U in T]: Frame<U> & { readonly kind: 'request'; readonly faults: readonly [] };
}[T];

/** A known request with a faulty payload or an empty `id`: to be answered with its FAILURE and the faults. */
export type FaultyRequest = {
  readonly kind: 'request';
  readonly type: ClientRequestType;
  readonly id: string;
  readonly payload: undefined;
  readonly faults: readonly string[];
};

/** A request that clients cannot make: to be answered with its FAILURE and the faults. */
export type UnknownRequest = {
  readonly kind: 'unknown-request';
  readonly type: RequestLikeType;
  readonly id: string;
  readonly faults: readonly string[];
};

/** A client's well-formed answer to a delivery; not answered. */
export type Acknowledgement = {
  [U in AcknowledgementType]: Frame<U> & { readonly kind: 'acknowledgement' };
}[AcknowledgementType];

/** Everything else: to be answered with `CONN_FRAME_FAILURE`. `id` is the frame's if that was usable, else empty. */
export type BadFrame = {
  readonly kind: 'bad-frame';
  readonly id: string;
  readonly faults: readonly string[];
};

export type DecodedFrame = SoundRequest | FaultyRequest | UnknownRequest | Acknowledgement | BadFrame;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Decodes what a client sent, from a text or a binary frame alike. Faults are returned, never thrown, because
 * what they are worth depends on the connection: before the sign-in, a request that needs one is told `not
 * signed in` and nothing else. Size is not checked here (`frameBytesMax`).
 * @param bytes UTF-8 JSON; not kept, so it may be memory that is only lent
 */
export function decodeFrame(bytes: Uint8Array | ArrayBuffer): DecodedFrame {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return badFrame('', ['frame: must be UTF-8']);
  }
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return badFrame('', ['frame: must be JSON']);
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) {
    return badFrame('', ['frame: must be a JSON object']);
  }
  return classify(frame);
}

/** Unknown properties of the frame are never looked at, `__proto__` neither: JSON.parse makes it a plain one. */
function classify({ id, type, payload }: { id?: unknown; type?: unknown; payload?: unknown }): DecodedFrame {
  const idFault = usableTextFault('id', id);
  const typeFault = usableTextFault('type', type);
  if (typeFault !== undefined) {
    return badFrame(idFault === undefined ? (id as string) : '', present([idFault, typeFault]));
  }
  const known = type as string;
  if (idFault !== undefined) return badFrame('', [idFault, ...faultsBeyondId(known, payload)]);
  return classifyNamed(id as string, known, payload);
}

function classifyNamed(id: string, type: string, payload: unknown): DecodedFrame {
  if (isAcknowledgementType(type)) {
    const checked = checkPayload(type, payload);
    if (checked.payload === undefined) return badFrame(id, checked.faults);
    return { kind: 'acknowledgement', id, type, payload: checked.payload } as Acknowledgement;
  }
  const idFaults = id === '' ? [`id: ${faultTexts.empty}`] : [];
  if (isClientRequestType(type)) return request(id, type, idFaults, checkPayload(type, payload));
  if (isRequestLike(type)) {
    return { kind: 'unknown-request', id, type, faults: [...idFaults, strangeTypeFault(type)] };
  }
  return badFrame(id, [strangeTypeFault(type)]);
}

function request(
  id: string,
  type: ClientRequestType,
  idFaults: readonly string[],
  { payload, faults }: Checked<unknown>,
): SoundRequest | FaultyRequest {
  if (idFaults.length === 0 && payload !== undefined) {
    return { kind: 'request', id, type, payload, faults } as SoundRequest;
  }
  return { kind: 'request', id, type, payload: undefined, faults: [...idFaults, ...faults] };
}

/** What else is wrong with a frame that cannot be answered for its `id`, so that its sender learns all at once. */
function faultsBeyondId(type: string, payload: unknown): readonly string[] {
  if (isAcknowledgementType(type) || isClientRequestType(type)) return checkPayload(type, payload).faults;
  return [strangeTypeFault(type)];
}

function strangeTypeFault(type: string): string {
  const request = isRequestLike(type);
  if (isFrameType(type)) return `type: only the server sends this ${request ? 'request' : 'frame'}`;
  return `type: unknown ${request ? 'request' : 'type'}`;
}

function usableTextFault(key: 'id' | 'type', value: unknown): string | undefined {
  if (value === undefined) return `${key}: ${faultTexts.missing}`;
  if (typeof value !== 'string') return `${key}: ${faultTexts.notAString}`;
  if (!hasAtMostCharacters(value, idCharactersMax))
    return `${key}: must be at most ${idCharactersMax} characters`;
  return undefined;
}

function isRequestLike(type: string): type is RequestLikeType {
  return type.endsWith('_REQUEST') && type.length > '_REQUEST'.length;
}

function present(faults: readonly (string | undefined)[]): string[] {
  return faults.filter((fault) => fault !== undefined);
}

function badFrame(id: string, faults: readonly string[]): BadFrame {
  return { kind: 'bad-frame', id, faults };
}
