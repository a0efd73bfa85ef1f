type Position = {
  /** Milliseconds by this process's clock, which never goes back. */
  readonly at: number;
  /** Bytes of the write-ahead log. */
  readonly wal: number;
};

/** More than ten minutes of one a second. */
const notedMax = 700;

/**
 * As of when a replica is: how far the primary's write-ahead log was at which moment, and which of these positions the
 * replica has reached. It needs no clock but this process's own.
 */
export class WalPositions {
  /** In order; those before the one that was reached are forgotten. */
  readonly #noted: Position[] = [];
  #reached: Position | undefined;

  /** @param at before the primary was asked */
  note(at: number, wal: number): void {
    this.#noted.push({ at, wal });
    // The replica is far behind: the oldest still says how far at least.
    if (this.#noted.length > notedMax) this.#noted.splice(1, 1);
  }

  /** The replica has replayed so far. */
  reach(wal: number): void {
    const index = this.#noted.findLastIndex((position) => position.wal <= wal);
    if (index < 0) return;
    this.#noted.splice(0, index);
    this.#reached = this.#noted[0];
  }

  /** The newest position that the replica is known to have reached. */
  get reached(): Position | undefined {
    return this.#reached;
  }

  /** Milliseconds that the replica is behind, at least; 0 if it had all when it was last asked. */
  lagMs(now: number): number {
    const [oldest] = this.#noted;
    return !oldest || (this.#reached && this.#noted.length === 1) ? 0 : now - oldest.at;
  }

  /** How many positions are noted. */
  get size(): number {
    return this.#noted.length;
  }

  forget(): void {
    this.#noted.length = 0;
    this.#reached = undefined;
  }
}
