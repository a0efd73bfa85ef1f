import { type Log, type Metrics, within } from '@hooligram/service';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Rate } from './config.ts';
import { createOwnCount } from './own-count.ts';

export interface LimitOptions {
  /** Should fail commands rather than queue them while it is not connected. */
  readonly redis: Redis;
  /** First part of all keys. */
  readonly prefix: string;
  readonly metrics: Pick<Metrics, 'counter'>;
  readonly log: Log;
}

/**
 * Points of many keys against one rate. They are counted twice: in Redis, for all cores together, and in this
 * process, and what passes has a point left in both. So no process passes more than the rate, whether Redis
 * answers or not and however many ask at once; without Redis, cores do so each for itself. Nobody is refused who
 * has not used up the rate within its time. Nothing here rejects.
 */
export interface Limit {
  /** Takes a point; false if there was none left. */
  take(key: string): Promise<boolean>;
  /** Whether there is a point left. */
  hasLeft(key: string): Promise<boolean>;
  /** Takes a point, left or not. */
  lose(key: string): Promise<void>;
}

// Beyond this, Redis counts as not answering.
const ANSWER_TIMEOUT_MS = 500;

export function createLimitFactory({ redis, prefix, metrics, log }: LimitOptions) {
  const refused = metrics.counter('limits_refused_total', 'What a limit refused', ['limit']);
  const skipped = metrics.counter(
    'limits_skipped_total',
    'Limits applied by one core for itself, Redis did not answer',
    ['limit'],
  );

  return (limit: string, rate: Rate): Limit => {
    const { points, seconds } = rate;
    const own = createOwnCount(rate);
    const shared = new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `${prefix}:limit:${limit}`,
      points,
      duration: seconds,
      rejectIfRedisNotReady: true,
    });

    function counted(allowed: boolean): boolean {
      if (!allowed) refused.inc({ limit });
      return allowed;
    }

    async function answerOf<T, O>(asked: Promise<T>, otherwise: O): Promise<T | O> {
      try {
        return await within(ANSWER_TIMEOUT_MS, asked);
      } catch (err) {
        skipped.inc({ limit });
        log.debug({ err, limit }, 'limit applied by this process alone');
        return otherwise;
      }
    }

    return {
      async take(key) {
        // Here first: of thousands at once, no more go to Redis than could pass.
        if (!own.take(key)) return counted(false);
        const allowed = await answerOf(
          shared.consume(key).then(() => true, falseIfExhausted),
          true,
        );
        if (!allowed) own.giveBack(key);
        return counted(allowed);
      },
      async hasLeft(key) {
        if (!own.hasLeft(key)) return counted(false);
        const left = shared.get(key).then((used) => (used?.consumedPoints ?? 0) < points);
        return counted(await answerOf(left, true));
      },
      async lose(key) {
        own.lose(key);
        await answerOf(shared.penalty(key), undefined);
      },
    };
  };
}

// The library rejects with its result when no point is left, and with an Error when Redis fails.
function falseIfExhausted(reason: unknown): false {
  if (reason instanceof RateLimiterRes) return false;
  throw reason;
}
