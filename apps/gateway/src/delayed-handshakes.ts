type Handshake = { readonly network: string };

/** Handshakes that may not come before their time, each before its own. */
export class DelayedHandshakes<H extends Handshake> {
  readonly #most: number;
  /** When each may come. */
  readonly #due = new Map<H, number>();
  readonly #ofNetworks = new Map<string, number>();

  /** @param most how many at once */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#due.size;
  }

  /** How many of a network there are. */
  of(network: string): number {
    return this.#ofNetworks.get(network) ?? 0;
  }

  all(): IterableIterator<H> {
    return this.#due.keys();
  }

  /** @returns false if there is no room for it */
  add(handshake: H, dueMs: number): boolean {
    if (this.#due.size >= this.#most) return false;
    this.#due.set(handshake, dueMs);
    this.#ofNetworks.set(handshake.network, this.of(handshake.network) + 1);
    return true;
  }

  delete(handshake: H): void {
    if (!this.#due.delete(handshake)) return;
    const left = this.of(handshake.network) - 1;
    if (left > 0) this.#ofNetworks.set(handshake.network, left);
    else this.#ofNetworks.delete(handshake.network);
  }

  /**
   * Those that may come now; they may be deleted meanwhile. It looks at all: five thousand of them, which is the most, take
   * some 30 µs.
   */
  *due(nowMs: number): Generator<H> {
    for (const [handshake, dueMs] of this.#due) if (dueMs <= nowMs) yield handshake;
  }
}
