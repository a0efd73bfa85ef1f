import { idCharactersMax } from './limits.ts';

/** Of a frame that was not parsed. */
export type FrameHead = { readonly id: string; readonly type: string };

const bytesOf = (text: string) => new TextEncoder().encode(text);
const latin1 = new TextDecoder('latin1');

const start = bytesOf('{"id":"');
const middle = bytesOf('","type":"');
const deliveries = [bytesOf('MESSAGING_DELIVER_REQUEST"'), bytesOf('GROUP_DELIVER_REQUEST"')] as const;
const acknowledged = bytesOf('_DELIVER_SUCCESS"');
const [quote, backslash] = bytesOf('"\\') as unknown as [number, number];

/** A longer frame is none: its id has 128 characters at most, each six bytes at most. */
const acknowledgementBytesMax = 1_024;

/** Longest type that is read, in bytes: no type of the protocol is half as long. */
const typeBytesMax = 64;

/**
 * Reads the id and the type of a frame that begins as `JSON.stringify({ id, type, payload })` writes it, without parsing
 * it: what follows may be anything. For frames that are refused unread.
 * @param bytes of one frame; not kept
 * @returns undefined for a frame that begins in another way, or whose id is not printable ASCII
 */
export function readFrameHead(bytes: Uint8Array): FrameHead | undefined {
  const from = typeStart(bytes);
  if (from === undefined) return undefined;
  const end = plainEnd(bytes, from, typeBytesMax);
  if (end === undefined) return undefined;
  const id = latin1.decode(bytes.subarray(start.length, from - middle.length));
  return { id, type: latin1.decode(bytes.subarray(from, end)) };
}

/**
 * Whether a frame begins like a delivery of the server, which only comes from clients that send back what they are sent.
 * Nothing is allocated.
 */
export function isDeliverySentBack(bytes: Uint8Array): boolean {
  const from = typeStart(bytes);
  return from !== undefined && (holds(bytes, deliveries[0], from) || holds(bytes, deliveries[1], from));
}

/**
 * Whether a frame may acknowledge a delivery, in whichever form its client writes JSON: a small one that names such a
 * type. Only decoding tells whether it does. Nothing is allocated.
 */
export function mayBeAcknowledgement(bytes: Uint8Array): boolean {
  const last = bytes.length - acknowledged.length;
  if (bytes.length > acknowledgementBytesMax) return false;
  for (let at = 0; at <= last; at += 1) if (holds(bytes, acknowledged, at)) return true;
  return false;
}

function typeStart(bytes: Uint8Array): number | undefined {
  if (!holds(bytes, start, 0)) return undefined;
  const idEnd = plainEnd(bytes, start.length, idCharactersMax);
  return idEnd !== undefined && holds(bytes, middle, idEnd) ? idEnd + middle.length : undefined;
}

/** @returns where a text ends that is printable ASCII without escapes and not too long */
function plainEnd(bytes: Uint8Array, from: number, bytesMax: number): number | undefined {
  const last = Math.min(bytes.length - 1, from + bytesMax);
  for (let at = from; at <= last; at += 1) {
    const byte = bytes[at] as number;
    if (byte === quote) return at;
    if (!(byte >= 0x20 && byte < 0x7f) || byte === backslash) return undefined;
  }
  return undefined;
}

function holds(bytes: Uint8Array, part: Uint8Array, from: number): boolean {
  if (from + part.length > bytes.length) return false;
  for (let at = 0; at < part.length; at += 1) if (bytes[from + at] !== part[at]) return false;
  return true;
}
