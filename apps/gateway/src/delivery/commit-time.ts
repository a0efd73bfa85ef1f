const needle = '"date_created":"';
const needleBytes = Buffer.from(needle);
/** `2026-11-25T22:26:10.123Z` */
const dateLength = 24;

/**
 * When the message in a `MESSAGING_DELIVER_REQUEST` was committed, to a moment: the date that Postgres gave it within
 * the transaction. Read from the ready frame without parsing it: a quote within a text is written with a backslash
 * before it, so the key is found nowhere else.
 *
 * @returns milliseconds since the epoch, by the database's clock; NaN for another frame
 */
export function commitTimeOf(frame: string | Uint8Array): number {
  if (typeof frame === 'string') {
    const start = frame.lastIndexOf(needle) + needle.length;
    return start < needle.length ? Number.NaN : Date.parse(frame.slice(start, start + dateLength));
  }
  const found = Buffer.prototype.lastIndexOf.call(frame, needleBytes);
  if (found === -1) return Number.NaN;
  const at = found + needleBytes.length;
  const two = (from: number) => digit(frame, at + from) * 10 + digit(frame, at + from + 1);
  return Date.UTC(
    two(0) * 100 + two(2),
    two(5) - 1,
    two(8),
    two(11),
    two(14),
    two(17),
    two(20) * 10 + digit(frame, at + 22),
  );
}

function digit(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? Number.NaN) - 0x30;
}
