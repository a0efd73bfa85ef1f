/**
 * So many times as long as pages were encoded, no more are. What a page costs besides is some times as much: Postgres reads it,
 * it is encoded again in a publication, Redis and a gateway pass it on, and all of them may share a machine with those who
 * only chat.
 */
const restFactor = 8;
/** A machine that stood still is no reason to rest for long. */
const restMaxMs = 50;

type Clock = { nowMs(): number; pause(ms: number): Promise<void> };

const clock: Clock = {
  nowMs: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * Rests between large pages, of all users of this process together. However much waits for however many, messages find most of
 * the time free; who comes back to much gets all of it, later. A machine that is busy makes a slice take longer, and so the
 * rest behind it.
 */
export class PageRests {
  readonly #clock: Clock;
  #untilMs = 0;

  /** @param given what the clock says, and waits for */
  constructor(given: Clock = clock) {
    this.#clock = given;
  }

  /** Resolves when no rest is left. */
  async over(): Promise<void> {
    for (let ms = this.#leftMs; ms > 0; ms = this.#leftMs) await this.#clock.pause(Math.ceil(ms));
  }

  /** Does some work, which has a rest behind it if it was large. @returns whether it was */
  work(piece: () => { readonly isLarge: boolean }): boolean {
    const begunMs = this.#clock.nowMs();
    const { isLarge } = piece();
    const nowMs = this.#clock.nowMs();
    if (!isLarge) return false;
    const restMs = Math.min(restMaxMs, restFactor * (nowMs - begunMs));
    this.#untilMs = Math.max(this.#untilMs, nowMs) + restMs;
    return true;
  }

  get #leftMs(): number {
    return this.#untilMs - this.#clock.nowMs();
  }
}
