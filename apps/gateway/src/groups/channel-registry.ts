import type { Subscriptions } from '@hooligram/bus';

/** Groups or users by their ids. The channel of each is subscribed while it is here. */
export class ChannelRegistry<T> {
  readonly #entries = new Map<number, T>();
  readonly #subscriptions: Subscriptions;
  readonly #channelOf: (id: number) => string;

  constructor(subscriptions: Subscriptions, channelOf: (id: number) => string) {
    this.#subscriptions = subscriptions;
    this.#channelOf = channelOf;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(id: number): T | undefined {
    return this.#entries.get(id);
  }

  ids(): number[] {
    return [...this.#entries.keys()];
  }

  all(): Iterable<T> {
    return this.#entries.values();
  }

  /** @param create `listening` resolves when what is published on the channel is received here */
  protected open(id: number, create: (listening: Promise<void>) => T): T {
    const known = this.#entries.get(id);
    if (known) return known;
    const entry = create(this.#subscriptions.acquire(this.#channelOf(id)));
    this.#entries.set(id, entry);
    return entry;
  }

  protected close(id: number): void {
    if (this.#entries.delete(id)) this.#subscriptions.release(this.#channelOf(id));
  }
}
