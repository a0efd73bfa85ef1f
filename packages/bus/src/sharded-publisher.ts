import type { Placement } from './placement.ts';
import type { BusPublisher, Publisher, RefusedRequest } from './publisher.ts';
import type { ShardState } from './shard-state.ts';

/**
 * Publishes on several Redis: what is about a group or a user on that one's, answers on the one on which their request
 * came.
 *
 * Guarantee: an entry is acknowledged only behind the publications and answers on its own Redis that were given before it,
 * as by `Publisher`, and when the publications on all the others were confirmed, or have failed. What a Redis that is away did
 * not get is noted in its `ShardState`. None waits for another one longer than that allows.
 */
export class ShardedPublisher implements BusPublisher {
  readonly #placement: Placement;
  readonly #outlets: readonly Outlet[];
  /** The entries that wait for other Redis than their own. */
  readonly #finishing = new Map<Promise<void>, { readonly entryId: string; readonly shard: number }>();

  /** @param states one a Redis, in the order of the list */
  constructor(placement: Placement, states: readonly ShardState[]) {
    this.#placement = placement;
    this.#outlets = states.map((state) => new Outlet(state));
  }

  /** From now on this Redis is there. */
  join(shard: number, publisher: Publisher): void {
    this.#outlet(shard).publisher = publisher;
  }

  publish(channel: string, payload: string, id: number): void {
    this.#outlet(this.#placement.of(id)).publish(channel, payload);
  }

  announce(channel: string, payload: string, shard?: number): void {
    const outlets = shard === undefined ? this.#outlets : [this.#outlet(shard)];
    for (const outlet of outlets) outlet.publish(channel, payload);
  }

  answer(node: string, answer: object, shard: number): void {
    this.#outlet(shard).publisher?.answer(node, answer);
  }

  refuse(node: string, answer: object, refused: RefusedRequest, shard: number): void {
    this.#outlet(shard).publisher?.refuse(node, answer, refused);
  }

  answerBehind(node: string, answer: object, entryId: string, shard: number): void {
    this.#outlet(shard).publisher?.answerBehind(node, answer, entryId);
  }

  failures(shard: number): number {
    return this.#outlet(shard).publisher?.failures() ?? 0;
  }

  finish(entryId: string, since: number, shard: number): void {
    const own = this.#outlet(shard);
    const others = this.#outlets.flatMap((outlet) => (outlet === own ? [] : (outlet.published() ?? [])));
    if (others.length === 0) {
      own.publisher?.finish(entryId, since);
      return;
    }
    const finished = Promise.all(others).then(() => {
      own.publisher?.finish(entryId, since);
      this.#finishing.delete(finished);
    });
    this.#finishing.set(finished, { entryId, shard });
  }

  async ask(commands: readonly (readonly string[])[], shard: number): Promise<unknown[]> {
    const { publisher } = this.#outlet(shard);
    // As ioredis says it.
    if (!publisher) throw new Error('Connection is closed.');
    return publisher.ask(commands);
  }

  leaving(shard: number): readonly string[] {
    const waiting = [...this.#finishing.values()].filter((one) => one.shard === shard);
    return [...waiting.map(({ entryId }) => entryId), ...(this.#outlet(shard).publisher?.leaving() ?? [])];
  }

  async published(): Promise<void> {
    await Promise.all(this.#outlets.map((outlet) => outlet.published()));
  }

  async flushed(): Promise<void> {
    await Promise.all(this.#finishing.keys());
    await Promise.all(this.#outlets.map((outlet) => outlet.flushed()));
  }

  #outlet(shard: number): Outlet {
    return this.#outlets[shard] as Outlet;
  }
}

/** The way to one Redis. */
class Outlet {
  publisher: Publisher | undefined;
  readonly #state: ShardState;
  /** When all that was published so far is there. */
  #published: Promise<void> | undefined;

  constructor(state: ShardState) {
    this.#state = state;
  }

  publish(channel: string, payload: string): void {
    if (!this.publisher || this.#state.isAway) {
      this.#state.miss();
      return;
    }
    this.publisher.publish(channel, payload);
    this.#published = undefined;
  }

  /** @returns undefined if there is nothing to wait for */
  published(): Promise<void> | undefined {
    if (!this.publisher || this.publisher.isPublished || this.#state.isAway) return undefined;
    this.#published ??= this.#state.settle(this.publisher.published());
    return this.#published;
  }

  async flushed(): Promise<void> {
    await this.published();
    if (!this.#state.isAway) await this.publisher?.flushed();
  }
}
