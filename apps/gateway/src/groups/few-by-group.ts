/** So many are looked through one by one: with more a table is quicker, and its size matters no more. */
const lookedThroughMax = 32;

/**
 * The subscriptions of one connection, by group. Most connections have a few, and there are as many connections as clients:
 * a list of ten takes 184 bytes, a `Map` of ten 520.
 */
export class FewByGroup<T extends { readonly feed: { readonly id: number } }> {
  #few: T[] = [];
  #many: Map<number, T> | undefined;

  get size(): number {
    return this.#many?.size ?? this.#few.length;
  }

  find(groupId: number): T | undefined {
    if (this.#many) return this.#many.get(groupId);
    for (const one of this.#few) if (one.feed.id === groupId) return one;
    return undefined;
  }

  /** Takes the place of the one of the same group, if there is one. */
  set(one: T): void {
    const { id } = one.feed;
    if (!this.#many) {
      const at = this.#few.findIndex(({ feed }) => feed.id === id);
      if (at >= 0) this.#few[at] = one;
      else this.#few.push(one);
      if (this.#few.length <= lookedThroughMax) return;
      this.#many = new Map(this.#few.map((each) => [each.feed.id, each]));
      this.#few = [];
    } else this.#many.set(id, one);
  }

  delete(groupId: number): void {
    if (this.#many) {
      this.#many.delete(groupId);
      return;
    }
    const at = this.#few.findIndex(({ feed }) => feed.id === groupId);
    if (at >= 0) this.#few.splice(at, 1);
  }

  /** In the order in which they came. Those may be deleted meanwhile. */
  values(): Iterable<T> {
    return this.#many ? this.#many.values() : [...this.#few];
  }
}
