/** A refused client is told to come back after one to so many seconds, at random: not all of them at once. */
const retryAfterMaxSeconds = 10;

/** How many handshakes a second are accepted: a bucket that holds those of one second. */
export class HandshakeRate {
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  #left: number;
  #filledAtMs: number;

  /** @param nowMs a clock that never goes back */
  constructor(perSecond: number, nowMs: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
    this.#left = perSecond;
    this.#filledAtMs = nowMs();
  }

  /** Accepts one more. @returns undefined, or for how many seconds the client should wait */
  accept(): number | undefined {
    const nowMs = this.#nowMs();
    const refill = ((nowMs - this.#filledAtMs) / 1_000) * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + refill);
    this.#filledAtMs = nowMs;
    if (this.#left < 1) return 1 + Math.floor(Math.random() * retryAfterMaxSeconds);
    this.#left -= 1;
    return undefined;
  }

  /** What was accepted has become no connection: somebody who is refused anyway takes no room from others. */
  giveBack(): void {
    this.#left = Math.min(this.#perSecond, this.#left + 1);
  }
}
