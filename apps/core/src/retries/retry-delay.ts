import type { JobsConfig } from './config.ts';

type RetryConfig = Pick<
  JobsConfig,
  'DELIVERY_RETRY_MS' | 'DELIVERY_RETRY_GROWTH' | 'DELIVERY_RETRY_MAX_MS' | 'DELIVERY_RETRY_JITTER'
>;

/**
 * The pause after so many attempts in a row that led nowhere: grows exponentially up to its longest, and varies
 * by chance to both sides.
 *
 * @param tries from 1
 * @param chance from 0 to 1
 * @returns milliseconds, never more than the longest pause
 */
export function retryPauseMs(tries: number, config: RetryConfig, chance = Math.random()): number {
  const longestMs = config.DELIVERY_RETRY_MAX_MS;
  const grownMs = Math.min(
    longestMs,
    config.DELIVERY_RETRY_MS * config.DELIVERY_RETRY_GROWTH ** Math.max(0, tries - 1),
  );
  const swing = config.DELIVERY_RETRY_JITTER * (2 * chance - 1);
  return Math.round(Math.min(longestMs, grownMs * (1 + swing)));
}
