const key = '"date_created":"';
/** `2026-11-25T22:26:10.123Z` */
const dateLength = 24;
const [quote, zero, zulu] = [...Buffer.from('"0Z')] as [number, number, number];

/** The day of the last date that was read: nearly all are of one day. */
const lastDay = { number: 0, startsAt: 0 };

/**
 * When the message in a `MESSAGING_DELIVER_REQUEST` was committed, to a moment: the date that Postgres gave it within
 * the transaction. Read from the ready frame without parsing it. Behind the date come a few numbers and the sender, so in
 * bytes it ends with the last capital Z.
 *
 * @returns milliseconds since the epoch, by the database's clock; NaN for another frame
 */
export function commitTimeOf(frame: string | Uint8Array): number {
  if (typeof frame === 'string') {
    const start = frame.lastIndexOf(key) + key.length;
    return start < key.length ? Number.NaN : Date.parse(frame.slice(start, start + dateLength));
  }
  let end = frame.length - 1;
  while (end >= dateLength && frame[end] !== zulu) end -= 1;
  const at = end - dateLength + 1;
  if (at < 1 || frame[at - 1] !== quote || frame[end + 1] !== quote) return Number.NaN;
  return (
    startOfDay(frame, at) +
    twoDigits(frame, at + 11) * 3_600_000 +
    twoDigits(frame, at + 14) * 60_000 +
    twoDigits(frame, at + 17) * 1_000 +
    twoDigits(frame, at + 20) * 10 +
    digit(frame, at + 22)
  );
}

function startOfDay(bytes: Uint8Array, at: number): number {
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  const number = (year * 100 + month) * 100 + day;
  if (number !== lastDay.number) {
    lastDay.number = number;
    lastDay.startsAt = Date.UTC(year, month - 1, day);
  }
  return lastDay.startsAt;
}

function twoDigits(bytes: Uint8Array, at: number): number {
  return digit(bytes, at) * 10 + digit(bytes, at + 1);
}

function digit(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) - zero;
}
