import type { Rate } from '@hooligram/service';

/** Beyond this the oldest keys are dropped: a flood of new numbers and addresses must not fill the memory. */
const keysMax = 100_000;

type Window = { used: number; readonly endsAt: number };

/**
 * Points that were consumed in this process. It always answers, and at once.
 *
 * Written by hand because the library's memory limiter has no bound (a million keys of a day's window took 537 MB), and
 * keeps a window of more than 24 days for a millisecond only, the longest that its timers can wait.
 */
export class MemoryLimiter {
  readonly #points: number;
  readonly #windowMs: number;
  /** In the order in which they began. All are equally long, so the first are the first to end. */
  readonly #windows = new Map<string, Window>();

  constructor({ points, seconds }: Rate) {
    this.#points = points;
    this.#windowMs = seconds * 1_000;
  }

  /** @returns milliseconds until a point is left; 0: there is one */
  waitMs(key: string): number {
    const window = this.#find(key);
    return window && window.used >= this.#points ? window.endsAt - performance.now() : 0;
  }

  used(key: string): number {
    return this.#find(key)?.used ?? 0;
  }

  /** Consumes a point, left or not. */
  consume(key: string): void {
    const window = this.#find(key) ?? this.#begin(key);
    window.used += 1;
  }

  giveBack(key: string, points = 1): void {
    const window = this.#find(key);
    if (!window) return;
    window.used -= points;
    if (window.used <= 0) this.#windows.delete(key);
  }

  #find(key: string): Window | undefined {
    const window = this.#windows.get(key);
    return window && window.endsAt > performance.now() ? window : undefined;
  }

  #begin(key: string): Window {
    const now = performance.now();
    const window = { used: 0, endsAt: now + this.#windowMs };
    this.#windows.delete(key);
    this.#windows.set(key, window);
    for (const [known, { endsAt }] of this.#windows) {
      if (endsAt > now && this.#windows.size <= keysMax) break;
      this.#windows.delete(known);
    }
    return window;
  }
}
