import type { Subscriptions } from '@hooligram/bus';

/** Where the channel of a group or of a user is subscribed: on the Redis where they live. */
export type ChannelsOf = (id: number) => Pick<Subscriptions, 'acquire' | 'release'>;

/** Groups or users by their ids. The channel of each is subscribed while it is here. */
export class ChannelRegistry<T> {
  readonly #entries = new Map<number, T>();
  readonly #channelsOf: ChannelsOf;
  readonly #nameOf: (id: number) => string;

  constructor(channelsOf: ChannelsOf, nameOf: (id: number) => string) {
    this.#channelsOf = channelsOf;
    this.#nameOf = nameOf;
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
    const entry = create(this.#channelsOf(id).acquire(this.#nameOf(id)));
    this.#entries.set(id, entry);
    return entry;
  }

  protected close(id: number): void {
    if (this.#entries.delete(id)) this.#channelsOf(id).release(this.#nameOf(id));
  }
}
