/** Who did something is there for so long after it: a few who chat write every few seconds, and would notice a storm between. */
const thereForMs = 10_000;

/**
 * Whether somebody is there who would notice that the event loop is late: who is sent live messages through this gateway, the
 * senders of them too. Clients that come back together notice nothing of each other but how long they wait. Frames are no
 * sign of anybody: whoever has no account can send any of them.
 */
export class OthersThere {
  readonly #done: () => number;
  #doneBefore: number;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** @param done grows with each message that is published in its group: live ones, and those that the gateway missed */
  constructor(done: () => number) {
    this.#done = done;
    this.#doneBefore = done();
  }

  /** What came since it was asked last counts as of now. @param nowMs of a clock that never goes back */
  at(nowMs: number): boolean {
    const done = this.#done();
    if (done !== this.#doneBefore) {
      this.#doneBefore = done;
      this.#untilMs = nowMs + thereForMs;
    }
    return nowMs < this.#untilMs;
  }
}
