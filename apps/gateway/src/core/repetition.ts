/** So many requests are written again in one turn of the event loop: about an entry of the stream. */
const writtenATurn = 500;

type Options<T> = {
  /** Whether two that stand one behind the other may not be parted. */
  belongTogether(one: T, next: T): boolean;
  /** @returns whether it was written; it need not be any more if it was answered meanwhile */
  write(one: T): boolean;
};

/**
 * Writes again what was unanswered when a connection broke, in its order, and a portion in each turn of the event loop. Thousands
 * of requests at once would be a stream full of entries in one tick; with turns between, new requests find their place, and
 * what is answered meanwhile is not written again.
 */
export class Repetition<T> {
  readonly #options: Options<T>;
  readonly #left = new Set<T>();
  #isScheduled = false;

  constructor(options: Options<T>) {
    this.#options = options;
  }

  /** Begins at once, or goes on behind what is still left. What is left keeps its place. */
  add(all: Iterable<T>): void {
    for (const one of all) this.#left.add(one);
    if (!this.#isScheduled) this.#writePortion();
  }

  #writePortion(): void {
    const { belongTogether, write } = this.#options;
    let written = 0;
    let before: T | undefined;
    for (const one of this.#left) {
      const mayPart = before === undefined || !belongTogether(before, one);
      if (written >= writtenATurn && mayPart) break;
      this.#left.delete(one);
      if (write(one)) written += 1;
      before = one;
    }
    this.#isScheduled = this.#left.size > 0;
    if (this.#isScheduled) setImmediate(() => this.#writePortion());
  }
}
