/** Who did something is there for so long after it: a few who chat write every few seconds, and would notice a storm between. */
const thereForMs = 10_000;

/**
 * Whether somebody is there who would notice that the event loop is late: whose messages this gateway handles. Clients that
 * come back together notice nothing of each other but how long they wait.
 */
export class OthersThere {
  readonly #done: () => number;
  #doneBefore: number;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** @param done grows with all that they do */
  constructor(done: () => number) {
    this.#done = done;
    this.#doneBefore = done();
  }

  /** What was done since it was asked last counts as done now. @param nowMs of a clock that never goes back */
  at(nowMs: number): boolean {
    const done = this.#done();
    if (done !== this.#doneBefore) {
      this.#doneBefore = done;
      this.#untilMs = nowMs + thereForMs;
    }
    return nowMs < this.#untilMs;
  }
}
