/** A connection's place in a group. */
type Listener = { tellState(): void };

/**
 * The connections of a large group that were not sent the state that applies yet, and that are told it one after the other.
 * When the group changes again meanwhile, those who still wait keep their place and are told the newest state alone.
 */
export class Untold<T extends Listener> {
  readonly #waiting = new Set<T>();
  /** Goes on where it was: a walk from the start would pass all who were told. */
  #walk: Iterator<T> | undefined;

  has(listener: T): boolean {
    return this.#waiting.has(listener);
  }

  add(listener: T): void {
    this.#waiting.add(listener);
    this.#walk ??= this.#waiting.values();
  }

  /** It was sent the state, or is not in the group any more. */
  delete(listener: T): void {
    this.#waiting.delete(listener);
  }

  /** Tells the next one, who is sent the state when it is their turn on the socket. @returns whether there was one */
  tellNext(): boolean {
    const next = this.#walk?.next();
    if (!next || next.done) {
      this.#walk = undefined;
      return false;
    }
    next.value.tellState();
    return true;
  }
}
