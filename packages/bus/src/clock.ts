import type { Redis } from 'ioredis';

export type RedisClock = {
  /** Milliseconds since the epoch by Redis's clock, which all processes share. */
  now(): number;
  close(): void;
};

const everyMs = 10_000;

/**
 * Follows Redis's clock, so that a deadline means the same to whoever sets it and whoever keeps it. Measured at
 * the start and every 10 s; between the measurements the own clock runs on. Off by half a round trip at most.
 */
export async function startRedisClock(redis: Redis): Promise<RedisClock> {
  let offsetMs = 0;

  async function measure(): Promise<void> {
    const askedAt = Date.now();
    const [seconds, microseconds] = await redis.time();
    const answeredAt = Date.now();
    offsetMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000 - (askedAt + answeredAt) / 2;
  }

  await measure();
  const timer = setInterval(() => void measure().catch(() => {}), everyMs);
  return {
    now: () => Date.now() + offsetMs,
    close: () => clearInterval(timer),
  };
}
