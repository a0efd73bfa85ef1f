/** What was let in before has its effect first. */
const settlesInMs = 100;

type Options = {
  readonly least: number;
  readonly most: number;
  /** The event loop is late when it is later than this. */
  readonly lateMaxMs: number;
  /** How much it grows in a second in which the event loop is never late. */
  readonly growsPerSecond: number;
};

/**
 * How much of something may be done: it grows evenly with time, and is halved when the event loop is late. That is the rule
 * by which TCP finds how much a network carries (RFC 5681), for the same reason: nobody knows the limit, which moves, and
 * several gateways share a machine or cores without knowing of each other. Who adds evenly and takes away by parts comes
 * to equal shares with the others (Chiu and Jain, 1989).
 */
export class Allowance {
  readonly #options: Options;
  #value: number;
  #grownAtMs: number;
  #halvedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: Options, nowMs = performance.now()) {
    this.#options = options;
    this.#value = options.most;
    this.#grownAtMs = nowMs;
  }

  /**
   * @param nowMs of a clock that never goes back
   * @param upTo may be less than the most while nothing has shown that there is room for it
   */
  at(nowMs: number, upTo = Number.POSITIVE_INFINITY): number {
    const { most, growsPerSecond } = this.#options;
    const grown = (growsPerSecond * (nowMs - this.#grownAtMs)) / 1_000;
    this.#value = Math.min(upTo, most, this.#value + grown);
    this.#grownAtMs = nowMs;
    return this.#value;
  }

  /** Takes notice of how late the event loop was, and returns what `at` does. */
  look(nowMs: number, lateMs: number): number {
    const value = this.at(nowMs);
    if (lateMs <= this.#options.lateMaxMs || nowMs - this.#halvedAtMs < settlesInMs) return value;
    this.#halvedAtMs = nowMs;
    this.#value = Math.max(this.#options.least, value / 2);
    return this.#value;
  }
}
