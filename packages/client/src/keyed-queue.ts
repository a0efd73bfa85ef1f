/** Runs what has the same key one after the other, in the order of the calls. Different keys do not wait for each other. */
export class KeyedQueue<K> {
  readonly #last = new Map<K, Promise<unknown>>();

  /** @returns what the body resolves or rejects with; the next body runs in either case */
  run<T>(key: K, body: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(body);
    const forget = () => {
      if (this.#last.get(key) === end) this.#last.delete(key);
    };
    const end: Promise<void> = result.then(forget, forget);
    this.#last.set(key, end);
    return result;
  }
}
