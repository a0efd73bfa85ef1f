import { Traffic, type TrafficRates } from './traffic.ts';

/** What all connections of one address, or of one user, use together. */
export type Share = {
  readonly traffic: Traffic;
  connections: number;
  /** Those of them on which nobody is signed in. */
  unsigned: number;
};

/** Shares that nobody uses and that would be forgotten at most are looked for so often. */
const cleanEveryMs = 10_000;

/**
 * The shares by address, or by user. One outlives its last connection until its buckets are full again, so a new
 * connection brings no new bucket.
 */
export class Shares<K> {
  readonly #rates: TrafficRates;
  readonly #shares = new Map<K, Share>();
  #timer: NodeJS.Timeout | undefined;

  constructor(rates: TrafficRates) {
    this.#rates = rates;
  }

  get size(): number {
    return this.#shares.size;
  }

  find(key: K): Share | undefined {
    return this.#shares.get(key);
  }

  /** The share of a key, for a connection more. Each ends with `leave`. */
  enter(key: K): Share {
    let share = this.#shares.get(key);
    if (!share) {
      share = { traffic: new Traffic(this.#rates), connections: 0, unsigned: 0 };
      this.#shares.set(key, share);
      this.#timer ??= setInterval(() => this.clean(), cleanEveryMs).unref();
    }
    share.connections += 1;
    return share;
  }

  /** Takes one of a key's bucket, without a connection. @returns whether there was one */
  takeOne(key: K): boolean {
    return this.bucketOf(key).take(0) === undefined;
  }

  /** The buckets of a key, without a connection: for use at once. */
  bucketOf(key: K): Traffic {
    const share = this.enter(key);
    this.leave(share);
    return share.traffic;
  }

  leave(share: Share): void {
    share.connections -= 1;
  }

  /** Forgets what is unused and full. */
  clean(): void {
    for (const [key, { connections, traffic }] of this.#shares) {
      if (connections === 0 && traffic.isFull) this.#shares.delete(key);
    }
    if (this.#shares.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
