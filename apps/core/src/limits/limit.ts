import { type Log, type Metrics, within } from '@hooligram/service';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Rate } from './config.ts';
import { MemoryLimiter } from './memory-limiter.ts';

export type LimitOptions = {
  /** Should fail commands rather than queue them while it is not connected. */
  readonly redis: Redis;
  /** First part of all keys. */
  readonly prefix: string;
  readonly metrics: Pick<Metrics, 'counter'>;
  readonly log: Log;
};

/**
 * Points of many keys against one rate. They are counted twice: in Redis, for all cores together, and in this process;
 * a request that is allowed has a point left in both. So no process allows more than the rate, whether Redis answers or
 * not and however many requests come at once; without Redis, each core does so for itself. A request within the rate is
 * never refused. Nothing here rejects.
 */
export type Limit = {
  /** Consumes a point; false if there was none left. */
  consume(key: string): Promise<boolean>;
  /** Whether there is a point left. */
  hasLeft(key: string): Promise<boolean>;
  /** Consumes a point, left or not. */
  penalize(key: string): Promise<void>;
};

/** Beyond this, Redis counts as not answering. */
const replyTimeoutMs = 500;

const limit = [
  'code_number',
  'code_address',
  'submit_address',
  'sign_in_address',
  'sign_in_pair',
  'sign_in_number',
] as const;

export function createLimitMetrics(metrics: Pick<Metrics, 'counter'>) {
  return {
    refused: metrics.counter('limits_refused_total', 'Requests that a limit refused', { limit }),
    skipped: metrics.counter(
      'limits_skipped_total',
      'Limits applied by one core for itself because Redis did not answer',
      { limit },
    ),
  };
}

export function createLimitFactory({ redis, prefix, metrics, log }: LimitOptions) {
  const { refused, skipped } = createLimitMetrics(metrics);

  return (limit: string, rate: Rate): Limit => {
    const { points, seconds } = rate;
    const memory = new MemoryLimiter(rate);
    const shared = new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `${prefix}:limit:${limit}`,
      points,
      duration: seconds,
      rejectIfRedisNotReady: true,
    });

    function counted(isAllowed: boolean): boolean {
      if (!isAllowed) refused.inc({ limit });
      return isAllowed;
    }

    async function replyOr<T>(otherwise: T, reply: Promise<T>): Promise<T> {
      try {
        return await within(replyTimeoutMs, reply);
      } catch (err) {
        skipped.inc({ limit });
        log.debug({ err, limit }, 'limit applied by this process alone');
        return otherwise;
      }
    }

    return {
      async consume(key) {
        // In memory first: of thousands at once, no more go to Redis than could be allowed.
        if (!memory.hasLeft(key)) return counted(false);
        memory.consume(key);
        const consumed = shared.consume(key).then(() => true, falseIfExhausted);
        const isAllowed = await replyOr(true, consumed);
        if (!isAllowed) memory.giveBack(key);
        return counted(isAllowed);
      },
      async hasLeft(key) {
        if (!memory.hasLeft(key)) return counted(false);
        const hasLeft = shared.get(key).then((used) => (used?.consumedPoints ?? 0) < points);
        return counted(await replyOr(true, hasLeft));
      },
      async penalize(key) {
        memory.consume(key);
        await replyOr<unknown>(undefined, shared.penalty(key));
      },
    };
  };
}

/** The library rejects with its result when no point is left, and with an Error when Redis fails. */
function falseIfExhausted(reason: unknown): false {
  if (reason instanceof RateLimiterRes) return false;
  throw reason;
}
