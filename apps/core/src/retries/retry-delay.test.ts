import { expect, test } from '@jest/globals';
import { retryPauseMs } from './retry-delay.ts';

const config = {
  DELIVERY_RETRY_MS: 5_000,
  DELIVERY_RETRY_GROWTH: 2,
  DELIVERY_RETRY_MAX_MS: 300_000,
  DELIVERY_RETRY_JITTER: 0.2,
};

test('pauses grow from the first one to the longest, which nothing exceeds', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((tries) => retryPauseMs(tries, config, 0.5));
  expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  expect(retryPauseMs(1_000, config, 1)).toBe(300_000);
});

test('chance moves a pause to both sides, by no more than its part', () => {
  expect([0, 0.25, 0.75, 1].map((chance) => retryPauseMs(2, config, chance))).toEqual([
    8_000, 9_000, 11_000, 12_000,
  ]);
  const still = { ...config, DELIVERY_RETRY_JITTER: 0 };
  expect(retryPauseMs(2, still, 1)).toBe(10_000);
});
