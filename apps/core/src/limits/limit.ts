import { type Log, type Metrics, within } from '@hooligram/service';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Rate } from './config.ts';

export interface LimitOptions {
  /** Should fail commands rather than queue them while it is not connected. */
  readonly redis: Redis;
  /** First part of all keys. */
  readonly prefix: string;
  readonly metrics: Pick<Metrics, 'counter'>;
  readonly log: Log;
}

/** Points of many keys against one rate. Nothing here rejects: a limit whose Redis does not answer is no limit. */
export interface Limit {
  /** Takes a point; false if there was none left. */
  take(key: string): Promise<boolean>;
  /** Whether there is a point left. */
  hasLeft(key: string): Promise<boolean>;
  /** Takes a point, left or not. */
  lose(key: string): Promise<void>;
  giveBack(key: string): Promise<void>;
}

// Beyond this, Redis counts as not answering.
const ANSWER_TIMEOUT_MS = 500;

export function createLimitFactory({ redis, prefix, metrics, log }: LimitOptions) {
  const refused = metrics.counter('limits_refused_total', 'What a limit refused', ['limit']);
  const skipped = metrics.counter('limits_skipped_total', 'Limits not applied, Redis did not answer', [
    'limit',
  ]);

  return (limit: string, { points, seconds }: Rate): Limit => {
    const limiter = new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `${prefix}:limit:${limit}`,
      points,
      duration: seconds,
      rejectIfRedisNotReady: true,
    });

    async function isAllowed(asked: Promise<boolean>): Promise<boolean> {
      const allowed = await answerOf(asked, true);
      if (!allowed) refused.inc({ limit });
      return allowed;
    }

    async function answerOf<T, O>(asked: Promise<T>, otherwise: O): Promise<T | O> {
      try {
        return await within(ANSWER_TIMEOUT_MS, asked);
      } catch (err) {
        skipped.inc({ limit });
        log.debug({ err, limit }, 'limit not applied');
        return otherwise;
      }
    }

    return {
      take: (key) => isAllowed(limiter.consume(key).then(() => true, falseIfExhausted)),
      hasLeft: (key) => isAllowed(limiter.get(key).then((used) => (used?.consumedPoints ?? 0) < points)),
      lose: async (key) => void (await answerOf(limiter.penalty(key), undefined)),
      giveBack: async (key) => void (await answerOf(limiter.reward(key), undefined)),
    };
  };
}

// The library rejects with its result when no point is left, and with an Error when Redis fails.
function falseIfExhausted(reason: unknown): false {
  if (reason instanceof RateLimiterRes) return false;
  throw reason;
}
