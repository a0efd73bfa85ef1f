/** So many are remembered; the oldest are forgotten first. */
const keysMax = 10_000;

/** Which keys something happened to a moment ago. */
export class RecentKeys<K> {
  readonly #forMs: number;
  readonly #nowMs: () => number;
  /** Until when each counts, the first to end first. */
  readonly #until = new Map<K, number>();

  /** @param nowMs a clock that never goes back */
  constructor(forMs: number, nowMs: () => number = () => performance.now()) {
    this.#forMs = forMs;
    this.#nowMs = nowMs;
  }

  add(key: K): void {
    this.#until.delete(key);
    this.#until.set(key, this.#nowMs() + this.#forMs);
    if (this.#until.size <= keysMax) return;
    for (const oldest of this.#until.keys()) {
      this.#until.delete(oldest);
      return;
    }
  }

  has(key: K): boolean {
    // While there are none, which is nearly always, no clock is asked.
    const untilMs = this.#until.get(key);
    if (untilMs === undefined) return false;
    if (this.#nowMs() < untilMs) return true;
    this.#until.delete(key);
    return false;
  }
}
