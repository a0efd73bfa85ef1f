import type { Redis } from 'ioredis';
import { appendRequestLua } from './append-request.lua.ts';
import type { RedisClock } from './clock.ts';
import type { Names } from './names.ts';
import { oncePerTick } from './once-per-tick.ts';
import { reasonOf, refusalOf, wasNeverSent } from './refusal.ts';
import type { Signatures } from './signatures.ts';

/** The layout of a stream entry. A core that does not know it leaves the entry to one that does. */
export const entryVersion = '1';

export type RequestWriter<T> = {
  /**
   * Queues one request; the requests of one event-loop tick leave together.
   * @param orderKey requests that are added one behind the other with the same key never part: two entries may go
   *   to two cores, and then nobody knows which is handled first
   */
  add(request: T, orderKey?: object): void;
  /**
   * Queues one request that gives way: it leaves behind all that was added until the end of its tick, and only where an
   * entry has room for it.
   */
  addBehind(request: T): void;
  /**
   * Queues one request that may take an eighth of the stream only: it leaves in an entry without others, and is refused as
   * `full` by a stream that has that much in it.
   */
  addWithinShare(request: T): void;
  /** How many bytes the stream had when this writer's last entry was appended, or refused. */
  readonly waitingBytes: number;
};

/**
 * - `full`: the stream is too long; the requests never left. The reason is `entries` or `bytes`.
 * - `refused`: Redis takes no writes, or not this one; nothing of it was done.
 * - `unsent`: not connected; the requests never left.
 * - `uncertain`: the connection broke before Redis answered; they may be in the stream.
 */
export type WriteFailure = 'full' | 'refused' | 'unsent' | 'uncertain';

type Options<T> = {
  redis: Redis;
  clock: RedisClock;
  names: Pick<Names, 'requests' | 'requestsBytes'>;
  node: string;
  deadlineMs: number;
  requestsMax: number;
  entriesMax: number;
  bytesMax: number;
  onFailed(requests: readonly T[], failure: WriteFailure, reason: string): void;
  onRoundTrip?(ms: number, requests: readonly T[]): void;
  signatures?: Signatures | undefined;
};

type Appending = Redis & {
  appendRequest(
    stream: string,
    streamBytes: string,
    entriesMax: number,
    bytesMax: number,
    ...fields: (string | number)[]
  ): Promise<[outcome: string, bytes: number]>;
};

type Added<T> = { readonly request: T; readonly orderKey: object | undefined };

/** An entry of more characters is written as two: a core reads an entry at once. */
const entryCharactersMax = 1_048_576;

/** Which part of the stream `addWithinShare` may take. */
const share = 1 / 8;

/**
 * Writes the requests of one event-loop tick as one stream entry, or as few as `requestsMax` and a mebibyte allow; only
 * requests of one order key go beyond it.
 *
 * Guarantee: requests reach the stream at most once a call of an `add…`, those of each in the order in which they were
 * added. `onFailed` gets those that did not, or perhaps did not.
 *
 * @param node the channel name part on which the answers are expected
 * @param deadlineMs no core begins an entry later than this after it was written
 * @param entriesMax a stream with so many entries takes no more: better to refuse at once than to queue
 * @param bytesMax nor does one with so many bytes
 * @param onRoundTrip how long Redis took to answer a write, and of what
 * @param signatures sign each entry
 */
export function createRequestWriter<T>(options: Options<T>): RequestWriter<T> {
  const { requestsMax } = options;
  options.redis.defineCommand('appendRequest', { numberOfKeys: 2, lua: appendRequestLua });
  let added: Added<T>[] = [];
  const givingWay: Added<T>[] = [];
  const withinShare: Added<T>[] = [];
  const shareOptions = {
    ...options,
    entriesMax: Math.ceil(options.entriesMax * share),
    bytesMax: Math.ceil(options.bytesMax * share),
  };
  let waitingBytes = 0;
  const onWritten = (bytes: number) => {
    waitingBytes = bytes;
  };
  const flushSoon = oncePerTick(() => {
    const all = added;
    added = [];
    if (all.length === 0) all.push(...givingWay.splice(0, requestsMax));
    for (let start = 0, end = 0; start < all.length; start = end) {
      end = Math.min(start + requestsMax, all.length);
      while (all[end]?.orderKey && all[end]?.orderKey === all[end - 1]?.orderKey) end += 1;
      if (givingWay.length > 0 && end === all.length && end - start < requestsMax) {
        all.push(...givingWay.splice(0, requestsMax - (end - start)));
        end = all.length;
      }
      writeEntries(options, all.slice(start, end), onWritten);
    }
    while (withinShare.length > 0) writeEntries(shareOptions, withinShare.splice(0, requestsMax), onWritten);
    if (givingWay.length > 0) flushSoon();
  });
  return {
    get waitingBytes() {
      return waitingBytes;
    },
    add(request, orderKey) {
      added.push({ request, orderKey });
      flushSoon();
    },
    addBehind(request) {
      givingWay.push({ request, orderKey: undefined });
      flushSoon();
    },
    addWithinShare(request) {
      withinShare.push({ request, orderKey: undefined });
      flushSoon();
    },
  };
}

/** As one entry, or as more if that were too large. */
function writeEntries<T>(options: Options<T>, added: readonly Added<T>[], onWritten: OnWritten): void {
  const requests = added.map(({ request }) => request);
  const text = JSON.stringify(requests);
  const middle = text.length > entryCharactersMax ? middleOf(added) : 0;
  if (middle === 0) {
    void write(options, requests, text, onWritten);
    return;
  }
  writeEntries(options, added.slice(0, middle), onWritten);
  writeEntries(options, added.slice(middle), onWritten);
}

/** @returns where requests may be parted, as near to their middle as possible behind or before it; 0 if nowhere */
function middleOf<T>(added: readonly Added<T>[]): number {
  const mayPart = (at: number) => !added[at]?.orderKey || added[at]?.orderKey !== added[at - 1]?.orderKey;
  const half = Math.floor(added.length / 2);
  for (let at = Math.max(half, 1); at < added.length; at += 1) if (mayPart(at)) return at;
  for (let at = half - 1; at > 0; at -= 1) if (mayPart(at)) return at;
  return 0;
}

type OnWritten = (streamBytes: number) => void;

async function write<T>(
  options: Options<T>,
  requests: readonly T[],
  text: string,
  onWritten: OnWritten,
): Promise<void> {
  const { redis, clock, names, node, deadlineMs, entriesMax, bytesMax, onFailed, onRoundTrip, signatures } =
    options;
  if (redis.status !== 'ready') {
    onFailed(requests, 'unsent', 'not connected');
    return;
  }
  const deadline = Math.round(clock.now() + deadlineMs);
  const sentAt = performance.now();
  const fields = ['v', entryVersion, 'node', node, 'deadline', deadline, 'requests', text];
  if (signatures) fields.push(...signatures.entryFields(names.requests, fields));
  try {
    const [outcome, bytes] = await (redis as Appending).appendRequest(
      names.requests,
      names.requestsBytes,
      entriesMax,
      bytesMax,
      ...fields,
    );
    onRoundTrip?.(performance.now() - sentAt, requests);
    onWritten(bytes);
    if (outcome === 'entries' || outcome === 'bytes') onFailed(requests, 'full', outcome);
  } catch (error) {
    onFailed(requests, failureOf(error), reasonOf(error));
  }
}

/** One command is one script, so there is no part of it that was done while another was refused. */
function failureOf(error: unknown): WriteFailure {
  if (refusalOf(error)) return 'refused';
  return wasNeverSent(error) ? 'unsent' : 'uncertain';
}
