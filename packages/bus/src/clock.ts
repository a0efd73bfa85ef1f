import type { Redis } from 'ioredis';

export type RedisClock = {
  /** Milliseconds since the epoch by Redis's clock, which all processes share. */
  now(): number;
  /** The same, asked now. */
  read(): Promise<number>;
  close(): void;
};

const everyMs = 10_000;
/** What took longer, because the process or Redis was frozen meanwhile, says little. */
const goodWithinMs = 250;

/**
 * Follows Redis's clock, so that a deadline means the same to whoever sets it and whoever keeps it. Measured at
 * the start and every 10 s; between the measurements the own clock runs on. Off by half a round trip at most, and
 * a round trip that was slow changes nothing.
 */
export async function startRedisClock(redis: Redis): Promise<RedisClock> {
  let offsetMs = 0;
  let tookMs = Number.POSITIVE_INFINITY;

  async function read(): Promise<number> {
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  }

  async function measure(): Promise<void> {
    const askedAt = Date.now();
    const now = await read();
    const took = Date.now() - askedAt;
    if (took > goodWithinMs && took > 2 * tookMs) return;
    offsetMs = now - (askedAt + took / 2);
    tookMs = took;
  }

  await measure();
  const timer = setInterval(() => void measure().catch(() => {}), everyMs);
  return {
    now: () => Date.now() + offsetMs,
    read,
    close: () => clearInterval(timer),
  };
}
