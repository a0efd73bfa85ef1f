import type { RedisClock } from '@hooligram/bus';
import { type Db, readClock } from '@hooligram/db';

/** Deadlines are set by Redis's clock, and kept by the statements themselves, which know the database's. */
export type Deadlines = {
  /** The request's deadline by the database's clock, in milliseconds since the epoch; null if it has none. */
  of(asked: { readonly deadline?: number }): number | null;
  /** The latest moment, by the database's clock, at which any core may have taken it to be in time. */
  latestOf(asked: { readonly deadline: number }): number;
  /** The earliest of a batch. */
  ofBatch(batch: readonly { readonly deadline?: number }[]): number | null;
  close(): void;
};

const everyMs = 10_000;
/** A measurement that took longer is taken again soon; it is used only while there is no better one. */
const goodWithinMs = 250;
const againMs = 1_000;

/**
 * Follows how far the database's clock is ahead of Redis's: measured at the start and every 10 s, one clock read right
 * after the other. The time between the two readings is not known, only that it lies within the measurement: all of
 * it is taken off, so a deadline may be too early by that much, and is never too late. A step of one of the clocks is
 * noticed with the next measurement; REQUEST_REPEAT_MS leaves time between the deadline and a repetition.
 */
export async function startDeadlines(options: {
  db: Db;
  /** @returns milliseconds by Redis's clock, read from Redis */
  readRedis: RedisClock['read'];
}): Promise<Deadlines> {
  let aheadMs = 0;
  let tookMs = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function measure(): Promise<void> {
    const startedAt = Date.now();
    const started = performance.now();
    const redisNow = await options.readRedis();
    const databaseNow = await readClock(options.db);
    // The one stands still while a machine is suspended, the other may be set meanwhile.
    const took = Math.max(performance.now() - started, Date.now() - startedAt);
    if (took > goodWithinMs && took > 2 * tookMs) return;
    aheadMs = databaseNow - redisNow - took;
    tookMs = took;
  }

  function next(): void {
    if (isClosed) return;
    const pauseMs = tookMs > goodWithinMs ? againMs : everyMs;
    timer = setTimeout(
      () =>
        void measure()
          .catch(() => {})
          .then(next),
      pauseMs,
    );
  }

  await measure();
  next();

  const of = (deadline: number) => (Number.isFinite(deadline) ? deadline + aheadMs : null);
  return {
    of: ({ deadline = Number.POSITIVE_INFINITY }) => of(deadline),
    latestOf: ({ deadline }) => deadline + aheadMs + tookMs,
    ofBatch: (batch) =>
      of(batch.reduce((first, { deadline = first }) => Math.min(first, deadline), Number.POSITIVE_INFINITY)),
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
