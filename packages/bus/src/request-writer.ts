import type { Redis } from 'ioredis';
import { appendRequestLua } from './append-request.lua.ts';
import type { RedisClock } from './clock.ts';
import { oncePerTick } from './once-per-tick.ts';
import { reasonOf, refusalOf, wasNeverSent } from './refusal.ts';

/** The layout of a stream entry. A core that does not know it leaves the entry to one that does. */
export const entryVersion = '1';

export type RequestWriter<T> = {
  /**
   * Queues one request; the requests of one event-loop tick leave together.
   * @param orderKey requests that are added one behind the other with the same key never part: two entries may go
   *   to two cores, and then nobody knows which is handled first
   */
  add(request: T, orderKey?: object): void;
};

/**
 * - `full`: the stream is too long; the requests never left.
 * - `refused`: Redis takes no writes, or not this one; nothing of it was done.
 * - `unsent`: not connected; the requests never left.
 * - `uncertain`: the connection broke before Redis answered; they may be in the stream.
 */
export type WriteFailure = 'full' | 'refused' | 'unsent' | 'uncertain';

type Options<T> = {
  redis: Redis;
  clock: RedisClock;
  stream: string;
  node: string;
  deadlineMs: number;
  requestsMax: number;
  entriesMax: number;
  onFailed(requests: readonly T[], failure: WriteFailure, reason: string): void;
};

type Appending = Redis & {
  appendRequest(stream: string, entriesMax: number, ...fields: (string | number)[]): Promise<string | null>;
};

/**
 * Writes the requests of one event-loop tick as one stream entry, or as few as `requestsMax` allows; only requests of
 * one order key go beyond it.
 *
 * Guarantee: requests reach the stream at most once a call of `add`, in the order in which they were added.
 * `onFailed` gets those that did not, or perhaps did not.
 *
 * @param node the channel name part on which the answers are expected
 * @param deadlineMs no core begins an entry later than this after it was written
 * @param entriesMax a stream with so many entries takes no more: better to refuse at once than to queue
 */
export function createRequestWriter<T>(options: Options<T>): RequestWriter<T> {
  const { requestsMax } = options;
  options.redis.defineCommand('appendRequest', { numberOfKeys: 1, lua: appendRequestLua });
  let added: { readonly request: T; readonly orderKey: object | undefined }[] = [];
  const flushSoon = oncePerTick(() => {
    const all = added;
    added = [];
    for (let start = 0, end = 0; start < all.length; start = end) {
      end = Math.min(start + requestsMax, all.length);
      while (all[end]?.orderKey && all[end]?.orderKey === all[end - 1]?.orderKey) end += 1;
      void write(
        options,
        all.slice(start, end).map(({ request }) => request),
      );
    }
  });
  return {
    add(request, orderKey) {
      added.push({ request, orderKey });
      flushSoon();
    },
  };
}

async function write<T>(options: Options<T>, requests: readonly T[]): Promise<void> {
  const { redis, clock, stream, node, deadlineMs, entriesMax, onFailed } = options;
  if (redis.status !== 'ready') {
    onFailed(requests, 'unsent', 'not connected');
    return;
  }
  const deadline = Math.round(clock.now() + deadlineMs);
  const fields = [
    'v',
    entryVersion,
    'node',
    node,
    'deadline',
    deadline,
    'requests',
    JSON.stringify(requests),
  ];
  try {
    const id = await (redis as Appending).appendRequest(stream, entriesMax, ...fields);
    if (id === null) onFailed(requests, 'full', `${entriesMax} entries wait`);
  } catch (error) {
    onFailed(requests, failureOf(error), reasonOf(error));
  }
}

/** One command is one script, so there is no part of it that was done while another was refused. */
function failureOf(error: unknown): WriteFailure {
  if (refusalOf(error)) return 'refused';
  return wasNeverSent(error) ? 'unsent' : 'uncertain';
}
