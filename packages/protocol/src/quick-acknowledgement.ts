import { idCharactersMax } from './limits.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

const start = bytesOf('{"id":"');
const ofMessage = bytesOf('","type":"MESSAGING_DELIVER_SUCCESS","payload":{"message_id":');
const ofGroup = bytesOf('","type":"GROUP_DELIVER_SUCCESS","payload":{"group_id":');
const end = bytesOf('}}');

const [quote, backslash, zero, nine] = bytesOf('"\\09') as unknown as [number, number, number, number];
/** Below 2^53 whatever the digits are. */
const digitsMax = 15;

/**
 * Reads a `MESSAGING_DELIVER_SUCCESS` as `JSON.stringify` writes it, which is most of what a gateway ever receives,
 * without decoding the text or parsing it: eight times cheaper than `decodeFrame`, and nothing is allocated.
 * @param bytes of one frame; not kept
 * @returns its `message_id`; undefined for everything else, also for the same frame in another form:
 *   `decodeFrame` judges that
 */
export function readMessageAcknowledgement(bytes: Uint8Array): number | undefined {
  return readId(bytes, ofMessage);
}

/** The same for a `GROUP_DELIVER_SUCCESS`: each sign-in brings one for each of its groups. @returns its `group_id` */
export function readGroupAcknowledgement(bytes: Uint8Array): number | undefined {
  return readId(bytes, ofGroup);
}

function readId(bytes: Uint8Array, middle: Uint8Array): number | undefined {
  const idEnd = plainIdEnd(bytes);
  if (idEnd === undefined || !holds(bytes, middle, idEnd)) return undefined;
  const digitsEnd = bytes.length - end.length;
  let at = idEnd + middle.length;
  if (digitsEnd - at > digitsMax || bytes[at] === zero || !holds(bytes, end, digitsEnd)) return undefined;
  let id = 0;
  for (; at < digitsEnd; at += 1) {
    const digit = bytes[at] as number;
    if (digit < zero || digit > nine) return undefined;
    id = id * 10 + digit - zero;
  }
  return id > 0 ? id : undefined;
}

/** @returns where the id ends, if it is printable ASCII without escapes and not too long */
function plainIdEnd(bytes: Uint8Array): number | undefined {
  if (!holds(bytes, start, 0)) return undefined;
  const last = Math.min(bytes.length, start.length + idCharactersMax);
  for (let at = start.length; at <= last; at += 1) {
    const byte = bytes[at] as number;
    if (byte === quote) return at;
    if (!(byte >= 0x20 && byte < 0x7f) || byte === backslash) return undefined;
  }
  return undefined;
}

function holds(bytes: Uint8Array, part: Uint8Array, from: number): boolean {
  if (from < 0 || from + part.length > bytes.length) return false;
  for (let at = 0; at < part.length; at += 1) if (bytes[from + at] !== part[at]) return false;
  return true;
}
