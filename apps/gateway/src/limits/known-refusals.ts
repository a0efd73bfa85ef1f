import { readTryAgain, tryAgainIn } from '@hooligram/protocol';

/** So many are remembered; the oldest are forgotten first, and their requests go to the core again. */
const keysMax = 10_000;
/**
 * The core is asked anyway, so often in so many milliseconds: another request of the same key may be small enough, or one that
 * was done already. People are not faster than that.
 */
type Asks = { readonly asksMax: number; readonly askWindowMs: number };
const usualAsks: Asks = { asksMax: 2, askWindowMs: 1_000 };

type Refusal = { readonly text: string; readonly untilMs: number; windowEndsMs: number; asks: number };

/**
 * What the core has refused for some seconds. Whoever repeats it very fast is told the same here, and costs the core
 * nothing.
 */
export class KnownRefusals {
  readonly #asks: Asks;
  readonly #nowMs: () => number;
  readonly #refusals = new Map<string, Refusal>();

  /** @param nowMs a clock that never goes back */
  constructor(asks = usualAsks, nowMs: () => number = () => performance.now()) {
    this.#asks = asks;
    this.#nowMs = nowMs;
  }

  /** @returns the error that a request gets without asking the core; undefined if that is to be asked */
  find(key: string): string | undefined {
    if (this.#refusals.size === 0) return undefined;
    const refusal = this.#refusals.get(key);
    if (!refusal) return undefined;
    const nowMs = this.#nowMs();
    if (nowMs >= refusal.untilMs) {
      this.#refusals.delete(key);
      return undefined;
    }
    if (nowMs >= refusal.windowEndsMs) {
      refusal.windowEndsMs = nowMs + this.#asks.askWindowMs;
      refusal.asks = 0;
    }
    refusal.asks += 1;
    if (refusal.asks <= this.#asks.asksMax) return undefined;
    return tryAgainIn(refusal.text, (refusal.untilMs - nowMs) / 1_000);
  }

  has(key: string): boolean {
    return this.#refusals.has(key);
  }

  /** Remembers what the core answered, if that says when to try again; forgets the refusal before it if not. */
  note(key: string, errors: readonly string[]): void {
    const known = this.#refusals.get(key);
    if (!known && errors.length === 0) return;
    const { text, seconds } = readTryAgain(errors[0] ?? '');
    if (known) this.#refusals.delete(key);
    if (seconds === undefined) return;
    const nowMs = this.#nowMs();
    const { windowEndsMs, asks } = known ?? {
      windowEndsMs: nowMs + this.#asks.askWindowMs,
      asks: 1,
    };
    this.#refusals.set(key, { text, untilMs: nowMs + seconds * 1_000, windowEndsMs, asks });
    if (this.#refusals.size <= keysMax) return;
    for (const oldest of this.#refusals.keys()) {
      this.#refusals.delete(oldest);
      return;
    }
  }
}
