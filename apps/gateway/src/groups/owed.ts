/** A subscription on which something may be unacknowledged. */
type Owing = { readonly isOwed: boolean };

/**
 * The subscriptions of a connection on which something that was sent may be unacknowledged. Each is noted when something
 * is sent that no delivery check covers, or when a check finds its user late; and forgotten when it is looked at and
 * everything is acknowledged. So a look costs what was sent, not how many groups there are.
 */
export class Owed<T extends Owing> {
  readonly #noted = new Set<T>();

  note(subscription: T): void {
    this.#noted.add(subscription);
  }

  forget(subscription: T): void {
    this.#noted.delete(subscription);
  }

  /** Puts it behind all others. */
  defer(subscription: T): void {
    if (this.#noted.delete(subscription)) this.#noted.add(subscription);
  }

  /** Those on which something is unacknowledged; the one that was noted first comes first. */
  *[Symbol.iterator](): Iterator<T> {
    for (const subscription of this.#noted) {
      if (subscription.isOwed) yield subscription;
      else this.#noted.delete(subscription);
    }
  }
}
