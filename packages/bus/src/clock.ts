import type { Redis } from 'ioredis';

/** Another machine's clock, as this process follows it. */
export type RedisClock = {
  /** Milliseconds since the epoch by Redis's clock, which all processes share. */
  now(): number;
  /** The same, read from Redis now. */
  read(): Promise<number>;
  close(): void;
};

const everyMs = 10_000;
/** A measurement that took longer says little: the process or Redis was frozen meanwhile. */
const goodWithinMs = 250;

/** Follows Redis's clock, so that a deadline means the same to the process that sets it and to the one that keeps it. */
export function startRedisClock(redis: Redis): Promise<RedisClock> {
  return startClock(async () => {
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  });
}

/**
 * Follows a clock that many processes share. Measured at the start and every 10 s; between the measurements the own
 * clock runs on. Off by half a round trip at most, and a round trip that was slow changes nothing.
 *
 * @param read asks for it: milliseconds since the epoch
 */
export async function startClock(read: () => Promise<number>): Promise<RedisClock> {
  let offsetMs = 0;
  let tookMs = Number.POSITIVE_INFINITY;

  async function measure(): Promise<void> {
    const sentAt = Date.now();
    const now = await read();
    const took = Date.now() - sentAt;
    if (took > goodWithinMs && took > 2 * tookMs) return;
    offsetMs = now - (sentAt + took / 2);
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
