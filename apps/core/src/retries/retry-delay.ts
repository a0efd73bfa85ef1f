import type { JobsConfig } from './config.ts';

type RetryConfig = Pick<
  JobsConfig,
  'DELIVERY_RETRY_MS' | 'DELIVERY_RETRY_GROWTH' | 'DELIVERY_RETRY_MAX_MS' | 'DELIVERY_RETRY_JITTER'
>;

/**
 * The delay after so many attempts in a row without progress: it grows exponentially up to the maximum, and jitter
 * moves it to both sides.
 *
 * @param tries from 1
 * @param random from 0 to 1
 * @returns milliseconds, never more than DELIVERY_RETRY_MAX_MS
 */
export function retryDelayMs(tries: number, config: RetryConfig, random = Math.random()): number {
  const delayMaxMs = config.DELIVERY_RETRY_MAX_MS;
  const grownMs = Math.min(
    delayMaxMs,
    config.DELIVERY_RETRY_MS * config.DELIVERY_RETRY_GROWTH ** Math.max(0, tries - 1),
  );
  const swing = config.DELIVERY_RETRY_JITTER * (2 * random - 1);
  return Math.round(Math.min(delayMaxMs, grownMs * (1 + swing)));
}
