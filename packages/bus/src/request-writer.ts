import type { Redis } from 'ioredis';
import { appendRequestLua } from './append-request.lua.ts';
import type { RedisClock } from './clock.ts';
import { reasonOf, refusalOf, wasNeverSent } from './refusal.ts';

/** The layout of a stream entry. A core that does not know it leaves the entry to one that does. */
export const entryVersion = '1';

export type RequestWriter<T> = {
  /**
   * Queues one request; the requests of one event-loop turn leave together.
   * @param run requests that are added one behind the other with the same one never part: two entries may go to
   *   two cores, and then nobody knows which is handled first
   */
  add(request: T, run?: object): void;
};

/**
 * - `full`: the stream is too long; the requests never left.
 * - `refused`: Redis takes no writes, or not this one; nothing of it was done.
 * - `unsent`: not connected; the requests never left.
 * - `uncertain`: the connection broke before Redis answered; they may be in the stream.
 */
export type WriteFailure = 'full' | 'refused' | 'unsent' | 'uncertain';

type Appending = Redis & {
  appendRequest(stream: string, entriesMax: number, ...fields: (string | number)[]): Promise<string | null>;
};

/**
 * Writes the requests of one event-loop turn as one stream entry, or as few as `requestsMax` allows; only a run
 * that has begun goes beyond it.
 *
 * Guarantee: requests reach the stream at most once a call of `add`, in the order in which they were added.
 * `onFailed` gets those that did not, or perhaps did not.
 *
 * @param node the channel name part on which the answers are expected
 * @param deadlineMs no core begins an entry later than this after it was written
 * @param entriesMax a stream with so many entries takes no more: better to refuse at once than to queue
 */
export function createRequestWriter<T>({
  redis,
  clock,
  stream,
  node,
  deadlineMs,
  requestsMax,
  entriesMax,
  onFailed,
}: {
  redis: Redis;
  clock: RedisClock;
  stream: string;
  node: string;
  deadlineMs: number;
  requestsMax: number;
  entriesMax: number;
  onFailed(requests: readonly T[], failure: WriteFailure, reason: string): void;
}): RequestWriter<T> {
  redis.defineCommand('appendRequest', { numberOfKeys: 1, lua: appendRequestLua });
  const appending = redis as Appending;
  let turn: { readonly request: T; readonly run: object | undefined }[] = [];

  function flush(): void {
    const added = turn;
    turn = [];
    for (let start = 0, end = 0; start < added.length; start = end) {
      end = Math.min(start + requestsMax, added.length);
      while (added[end]?.run && added[end]?.run === added[end - 1]?.run) end += 1;
      void write(added.slice(start, end).map(({ request }) => request));
    }
  }

  async function write(requests: readonly T[]): Promise<void> {
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
      const id = await appending.appendRequest(stream, entriesMax, ...fields);
      if (id === null) onFailed(requests, 'full', `${entriesMax} entries wait`);
    } catch (error) {
      onFailed(requests, failureOf(error), reasonOf(error));
    }
  }

  return {
    add(request, run) {
      if (turn.push({ request, run }) === 1) setImmediate(flush);
    },
  };
}

/** One command is one script, so there is no part of it that was done while another was refused. */
function failureOf(error: unknown): WriteFailure {
  if (refusalOf(error)) return 'refused';
  return wasNeverSent(error) ? 'unsent' : 'uncertain';
}
