import type { Redis } from 'ioredis';

/** The layout of a stream entry. A core that does not know it puts the entry aside. */
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
 * Writes the requests of one event-loop turn as one stream entry, or as few as `requestsMax` allows; only a run
 * that has begun goes beyond it.
 *
 * Guarantee: requests reach the stream at most once and in the order in which they were added. When it is not
 * certain that an entry arrived, `onFailed` gets its requests: they may or may not run, unless `isCertain`
 * says that they never left.
 *
 * @param node the channel name part on which the answers are expected
 * @param deadlineMs no core begins an entry that is older than this
 */
export function createRequestWriter<T>({
  redis,
  stream,
  node,
  deadlineMs,
  requestsMax,
  onFailed,
}: {
  redis: Redis;
  stream: string;
  node: string;
  deadlineMs: number;
  requestsMax: number;
  onFailed(requests: readonly T[], error: Error, isCertain: boolean): void;
}): RequestWriter<T> {
  let turn: { readonly request: T; readonly run: object | undefined }[] = [];

  function flush(): void {
    const added = turn;
    turn = [];
    for (let start = 0, end = 0; start < added.length; start = end) {
      end = Math.min(start + requestsMax, added.length);
      while (added[end]?.run && added[end]?.run === added[end - 1]?.run) end += 1;
      write(added.slice(start, end).map(({ request }) => request));
    }
  }

  function write(requests: readonly T[]): void {
    const isConnected = redis.status === 'ready';
    redis
      .xadd(
        stream,
        '*',
        'v',
        entryVersion,
        'node',
        node,
        'ttl',
        deadlineMs,
        'requests',
        JSON.stringify(requests),
      )
      .catch((error: Error) => onFailed(requests, error, !isConnected));
  }

  return {
    add(request, run) {
      if (turn.push({ request, run }) === 1) setImmediate(flush);
    },
  };
}
