/** So many calls of operators are remembered: what is called on several Redis comes within moments. */
const remembered = 64;

/** Operators call nodes on every Redis; each node acts once. */
export class RepeatedCalls {
  readonly #known = new Set<string>();

  /** @returns whether this call came before: each has a token of its own */
  has(bytes: Buffer): boolean {
    const call = bytes.toString('latin1');
    if (this.#known.has(call)) return true;
    this.#known.add(call);
    const [oldest] = this.#known;
    if (this.#known.size > remembered && oldest !== undefined) this.#known.delete(oldest);
    return false;
  }
}
