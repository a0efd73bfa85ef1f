/** A subscription on which something may be unacknowledged. */
type Owing = { readonly isOwed: boolean };

/**
 * The subscriptions of a connection on which something that was sent may be unacknowledged. Each is noted when something
 * is sent that no delivery check covers, or when a check finds its user late; and forgotten when it is looked at and
 * everything is acknowledged. So a look costs what was sent, not how many groups there are.
 */
export class Owed<T extends Owing> {
  /** Undefined while there is none, as on nearly all connections at any time: an empty set has a table, too. */
  #noted: Set<T> | undefined;

  note(subscription: T): void {
    this.#noted ??= new Set();
    this.#noted.add(subscription);
  }

  forget(subscription: T): void {
    this.#noted?.delete(subscription);
  }

  /** Puts it behind all others. */
  defer(subscription: T): void {
    if (this.#noted?.delete(subscription)) this.#noted.add(subscription);
  }

  /** Those on which something is unacknowledged; the one that was noted first comes first. */
  *[Symbol.iterator](): Iterator<T> {
    const noted = this.#noted;
    if (!noted) return;
    for (const subscription of noted) {
      if (subscription.isOwed) yield subscription;
      else noted.delete(subscription);
    }
    if (noted.size === 0 && this.#noted === noted) this.#noted = undefined;
  }
}
