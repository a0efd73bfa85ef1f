import type { RedisClock } from '@hooligram/bus';
import { type Db, readClock } from '@hooligram/db';

const everyMs = 10_000;
/** A slower measurement is repeated soon; it is used only while there is no better one. */
const goodWithinMs = 250;
const repeatMs = 1_000;

type Clocks = {
  readonly db: Db;
  /** @returns milliseconds by Redis's clock, read from Redis */
  readonly readRedis: RedisClock['read'];
};

/**
 * Converts deadlines, which are set by Redis's clock, to the database's clock: the statements themselves keep them.
 *
 * Follows how far the database's clock is ahead of Redis's. It is measured at the start and every 10 s, one clock read
 * right after the other. The time between the two readings is not known, only that it lies within the measurement. All
 * of it is subtracted, so a deadline may be too early by that much, and is never too late. A step of one of the clocks
 * is noticed with the next measurement; REQUEST_REPEAT_MS leaves time between the deadline and a repetition.
 */
export class Deadlines {
  readonly #clocks: Clocks;
  #aheadMs = 0;
  #tookMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(clocks: Clocks) {
    this.#clocks = clocks;
  }

  /** @throws if one of the clocks cannot be read */
  static async start(clocks: Clocks): Promise<Deadlines> {
    const deadlines = new Deadlines(clocks);
    await deadlines.#measure();
    deadlines.#scheduleNext();
    return deadlines;
  }

  /** The request's deadline by the database's clock, in milliseconds since the epoch; null if it has none. */
  of({ deadline = Number.POSITIVE_INFINITY }: { readonly deadline?: number }): number | null {
    return Number.isFinite(deadline) ? deadline + this.#aheadMs : null;
  }

  /** The earliest of a batch. */
  ofBatch(batch: readonly { readonly deadline?: number }[]): number | null {
    return this.of({
      deadline: Math.min(...batch.map(({ deadline = Number.POSITIVE_INFINITY }) => deadline)),
    });
  }

  /** The latest moment, by the database's clock, at which any core may have taken the request to be in time. */
  latestOf({ deadline }: { readonly deadline: number }): number {
    return deadline + this.#aheadMs + this.#tookMs;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #measure(): Promise<void> {
    const startedAt = Date.now();
    const started = performance.now();
    const redisNow = await this.#clocks.readRedis();
    const databaseNow = await readClock(this.#clocks.db);
    // The one clock stands still while a machine is suspended, the other may be set meanwhile.
    const tookMs = Math.max(performance.now() - started, Date.now() - startedAt);
    if (tookMs > goodWithinMs && tookMs > 2 * this.#tookMs) return;
    this.#aheadMs = databaseNow - redisNow - tookMs;
    this.#tookMs = tookMs;
  }

  #scheduleNext(): void {
    if (this.#isClosed) return;
    const measureAgain = () =>
      this.#measure()
        .catch(() => {})
        .then(() => this.#scheduleNext());
    this.#timer = setTimeout(measureAgain, this.#tookMs > goodWithinMs ? repeatMs : everyMs);
  }
}

/** For a core that goes by the database's clock: what it knows as a deadline is one already. */
export const databaseDeadlines: Pick<Deadlines, 'of' | 'ofBatch'> = {
  of: ({ deadline = Number.POSITIVE_INFINITY }) => (Number.isFinite(deadline) ? deadline : null),
  ofBatch(batch) {
    const deadlines = batch.map(({ deadline = Number.POSITIVE_INFINITY }) => deadline);
    return databaseDeadlines.of({ deadline: Math.min(...deadlines) });
  },
};
