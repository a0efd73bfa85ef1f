import type { Redis } from 'ioredis';

/** The layout of a stream entry. A core that does not know it puts the entry aside. */
export const entryVersion = '1';

export type RequestWriter<T> = {
  /** Queues one request; the requests of one event-loop turn leave together. */
  add(request: T): void;
};

/**
 * Writes the requests of one event-loop turn as one stream entry, or as few as `requestsMax` allows.
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
  let turn: T[] = [];

  function flush(): void {
    const requests = turn;
    turn = [];
    for (let start = 0; start < requests.length; start += requestsMax) {
      write(requests.slice(start, start + requestsMax));
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
    add(request) {
      if (turn.push(request) === 1) setImmediate(flush);
    },
  };
}
