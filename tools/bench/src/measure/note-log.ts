/** Stands behind the numbers of a message, see load/message-stream.ts. */
const mark = ' the quick';
/** Digits of a message's number; that of its group has as many as it needs. */
const numberDigits = 8;

/** The number of a message in its stream, and that of its group: what a message is known by. */
export type MessageKey = readonly [number: number, group: number];

/** Where a message passes a socket, in the order of its way from one client to another one on the other gateway. */
export const points = [
  'client-out',
  'socket-in',
  'request-out',
  'entry-in',
  'statement-out',
  'statement-in',
  'publish-out',
  'publication-in',
  'socket-out',
  'client-in',
] as const;

export type Point = (typeof points)[number];

/**
 * A message passes a point; or a collection of garbage has ended, and `key` says how many microseconds it took.
 * @param at microseconds of the machine's monotonic clock, which all processes share
 */
export type Note = { readonly point: Point | 'collection'; readonly key: string; readonly at: number };

const noted: readonly Note['point'][] = [...points, 'collection'];

/** A note is four numbers: its point, what it is about (two), and when. */
const width = 4;

/**
 * The notes of a process. They are numbers outside of V8's heap: a collector of garbage that had to move, and keep, an object for
 * each of them would be measured, and not what the process does by itself.
 */
export class NoteLog {
  #numbers = new Float64Array(width * 65_536);
  #length = 0;

  message(point: Point, [number, group]: MessageKey, at: number): void {
    this.#add(noted.indexOf(point), number, group, at);
  }

  /** @param tookUs microseconds that a collection of garbage took */
  collection(tookUs: number, at: number): void {
    this.#add(noted.indexOf('collection'), tookUs, 0, at);
  }

  /** All notes since the last call, which are forgotten. */
  take(): Note[] {
    const notes: Note[] = [];
    for (let from = 0; from < this.#length; from += width) {
      const [about = 0, number = 0, group = 0, at = 0] = this.#numbers.subarray(from, from + width);
      const point = noted[about] as Note['point'];
      notes.push({ point, key: point === 'collection' ? String(number) : keyOf([number, group]), at });
    }
    this.#length = 0;
    return notes;
  }

  #add(point: number, number: number, group: number, at: number): void {
    if (this.#length === this.#numbers.length) {
      const more = new Float64Array(2 * this.#length);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    const numbers = this.#numbers;
    const from = this.#length;
    numbers[from] = point;
    numbers[from + 1] = number;
    numbers[from + 2] = group;
    numbers[from + 3] = at;
    this.#length += width;
  }
}

function keyOf([number, group]: MessageKey): string {
  return `${String(number).padStart(numberDigits, '0')} ${group}`;
}

/** The messages in what passes a socket. It is searched where it is, without a copy of it as a text. */
export function messagesIn(chunk: string | Buffer): MessageKey[] {
  const found: MessageKey[] = [];
  for (let at = chunk.indexOf(mark); at >= 0; at = chunk.indexOf(mark, at + mark.length)) {
    const space = startOfNumber(chunk, at) - 1;
    found.push([numberBetween(chunk, space - numberDigits, space), numberBetween(chunk, space + 1, at)]);
  }
  return found;
}

function digitAt(chunk: string | Buffer, at: number): number {
  return (typeof chunk === 'string' ? chunk.charCodeAt(at) : (chunk[at] ?? Number.NaN)) - 48;
}

/** Where the digits begin that end before `end`. */
function startOfNumber(chunk: string | Buffer, end: number): number {
  let start = end;
  while (digitAt(chunk, start - 1) >= 0 && digitAt(chunk, start - 1) <= 9) start -= 1;
  return start;
}

function numberBetween(chunk: string | Buffer, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) number = number * 10 + digitAt(chunk, at);
  return number;
}
