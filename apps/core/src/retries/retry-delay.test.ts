import { expect, test } from '@jest/globals';
import { retryDelayMs } from './retry-delay.ts';

const config = {
  DELIVERY_RETRY_MS: 5_000,
  DELIVERY_RETRY_GROWTH: 2,
  DELIVERY_RETRY_MAX_MS: 300_000,
  DELIVERY_RETRY_JITTER: 0.2,
};

test('delays grow from the first one to the maximum, which none exceeds', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((tries) => retryDelayMs(tries, config, 0.5));
  expect(delays).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  expect(retryDelayMs(1_000, config, 1)).toBe(300_000);
});

test('jitter moves a delay to both sides, by no more than its share', () => {
  expect([0, 0.25, 0.75, 1].map((random) => retryDelayMs(2, config, random))).toEqual([
    8_000, 9_000, 11_000, 12_000,
  ]);
  const still = { ...config, DELIVERY_RETRY_JITTER: 0 };
  expect(retryDelayMs(2, still, 1)).toBe(10_000);
});
