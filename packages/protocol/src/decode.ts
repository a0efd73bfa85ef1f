import { hasAtMostCharacters } from './characters.ts';
import { errorTexts } from './error-texts.ts';
import { checkPayload } from './faults.ts';
import { faultTexts } from './fields.ts';
import {
  type AcknowledgementType,
  type ClientRequestType,
  type Frame,
  isAcknowledgementType,
  isClientRequestType,
  isFrameType,
  needsSignIn,
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

/** A request that the protocol does not know, with a usable `id`: to be answered with its FAILURE and the faults. */
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

/**
 * No frame, or a client's request or acknowledgement that cannot be answered: to be refused with
 * `CONN_FRAME_FAILURE`. `id` is the frame's if that was usable, else empty.
 */
export type BadFrame = {
  readonly kind: 'bad-frame';
  readonly id: string;
  readonly faults: readonly string[];
};

/**
 * Not answered, whatever else it holds, because clients send it that know nothing of it: the mobile client sends
 * back every frame that it is sent, and the actions of its own screens. An answer would be sent back, too.
 */
export type IgnoredFrame = {
  readonly kind: 'ignored';
  /** `server-type`: only the server sends this type, so it is likely a frame of its own that comes back. */
  readonly reason: 'server-type' | 'unknown-type';
};

export type DecodedFrame =
  | SoundRequest
  | FaultyRequest
  | UnknownRequest
  | Acknowledgement
  | BadFrame
  | IgnoredFrame;

const serverType: IgnoredFrame = Object.freeze({ kind: 'ignored', reason: 'server-type' });
const unknownType: IgnoredFrame = Object.freeze({ kind: 'ignored', reason: 'unknown-type' });

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Decodes what a client sent, from a text or a binary frame alike. Faults are returned, never thrown, because
 * their meaning depends on the connection: before the sign-in, a request that needs one is answered `not
 * signed in` and nothing else. Size is not checked here (`frameBytesMax`).
 * @param bytes UTF-8 JSON; not kept, so it may be memory that is only lent
 * @param isSignedIn false: the payload of a request that needs a sign-in is not looked at, its one fault is that
 */
export function decodeFrame(bytes: Uint8Array | ArrayBuffer, isSignedIn = true): DecodedFrame {
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
  return classify(frame, isSignedIn);
}

/** Unknown properties of the frame are never looked at, `__proto__` neither: JSON.parse makes it a plain one. */
function classify(
  { id, type, payload }: { id?: unknown; type?: unknown; payload?: unknown },
  isSignedIn: boolean,
): DecodedFrame {
  if (typeof type !== 'string' || type === '') {
    const idFault = idFaultOf(id);
    return badFrame(idFault === undefined ? (id as string) : '', present([idFault, typeFaultOf(type)]));
  }
  if (isAcknowledgementType(type)) return acknowledgement(id, type, payload);
  if (isClientRequestType(type)) {
    if (!isSignedIn && needsSignIn(type) && idFaultOf(id) === undefined)
      return withoutSignIn(id as string, type);
    return request(id, type, payload);
  }
  if (isFrameType(type)) return serverType;
  // Screens of a client may be called so, too: GO_TO_ONBOARDING_REQUEST. Those have no id.
  if (!isRequestLike(type) || idFaultOf(id) !== undefined) return unknownType;
  const faults = [...emptyIdFaults(id as string), 'type: unknown request'];
  return { kind: 'unknown-request', id: id as string, type, faults };
}

function acknowledgement(
  id: unknown,
  type: AcknowledgementType,
  payload: unknown,
): Acknowledgement | BadFrame {
  const idFault = idFaultOf(id);
  const checked = checkPayload(type, payload);
  if (idFault !== undefined) return badFrame('', [idFault, ...checked.faults]);
  if (checked.payload === undefined) return badFrame(id as string, checked.faults);
  return { kind: 'acknowledgement', id, type, payload: checked.payload } as Acknowledgement;
}

/** An empty id is a usable one, and yet a fault: its FAILURE names it with all others. */
function request(
  id: unknown,
  type: ClientRequestType,
  input: unknown,
): SoundRequest | FaultyRequest | BadFrame {
  const idFault = idFaultOf(id);
  const { payload, faults } = checkPayload(type, input);
  if (idFault !== undefined) return badFrame('', [idFault, ...faults]);
  const text = id as string;
  if (text !== '' && payload !== undefined) {
    return { kind: 'request', id: text, type, payload, faults } as SoundRequest;
  }
  return {
    kind: 'request',
    id: text,
    type,
    payload: undefined,
    faults: [...emptyIdFaults(text), ...faults],
  };
}

function withoutSignIn(id: string, type: ClientRequestType): FaultyRequest {
  return { kind: 'request', id, type, payload: undefined, faults: [errorTexts.notSignedIn.text] };
}

/** @returns why an id cannot be used, or undefined if it can */
function idFaultOf(id: unknown): string | undefined {
  if (id === undefined) return `id: ${faultTexts.missing}`;
  if (typeof id !== 'string') return `id: ${faultTexts.notAString}`;
  if (!hasAtMostCharacters(id, idCharactersMax)) return `id: must be at most ${idCharactersMax} characters`;
  return undefined;
}

function emptyIdFaults(id: string): readonly string[] {
  return id === '' ? [`id: ${faultTexts.empty}`] : [];
}

function typeFaultOf(type: unknown): string {
  if (type === undefined) return `type: ${faultTexts.missing}`;
  return `type: ${typeof type === 'string' ? faultTexts.empty : faultTexts.notAString}`;
}

function isRequestLike(type: string): type is RequestLikeType {
  return type.endsWith('_REQUEST');
}

function present(faults: readonly (string | undefined)[]): string[] {
  return faults.filter((fault) => fault !== undefined);
}

function badFrame(id: string, faults: readonly string[]): BadFrame {
  return { kind: 'bad-frame', id, faults };
}
