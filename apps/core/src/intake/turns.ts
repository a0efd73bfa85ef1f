/** What a user has waiting that must not be split. */
type Waiting = {
  readonly owner: number | string;
  readonly requests: { readonly length: number };
  /** How many requests it is paid for as; as many as it has unless given. */
  readonly weight?: number;
};

type OwnerQueue<B> = {
  readonly owner: number | string;
  readonly bursts: B[];
  /** How many turns it still passes on: a burst is paid for with as many turns as it weighs. */
  debt: number;
  /** Bursts that were taken and not released; 0 for an owner whose places are not bounded. */
  inProgress: number;
  isHeld: boolean;
};

/** A burst of few and long requests is paid for with so many turns at most: others of its user have a deadline. */
const debtMax = 64;

/** A batch ends when so many bursts did not fit: they come first in the next one. */
const misfitsMax = 8;

/**
 * The queue of a batcher: a queue per owner, served by turns. With one request waiting, an owner is in the next batch
 * or the one after it, however many requests another one has. Bursts are not split, and those of one owner keep their
 * order.
 *
 * One request costs one step, however many wait: in a turn, an owner gets a burst or pays for a request of its last one.
 */
export class Turns<B extends Waiting> {
  readonly #queues = new Map<number | string, OwnerQueue<B>>();
  /** The owners that have something waiting and are not held, in the order of their turns. */
  readonly #ring = new Set<OwnerQueue<B>>();
  readonly #placesOf: (owner: number | string) => number;
  #requests = 0;

  /**
   * @param placesOf with so many bursts taken and not released, an owner gets no turn; one batch may take more of them. By
   *   default there is no bound.
   */
  constructor(placesOf: (owner: number | string) => number = () => Number.POSITIVE_INFINITY) {
    this.#placesOf = placesOf;
  }

  /** How many requests wait. */
  get requests(): number {
    return this.#requests;
  }

  /** How many owners have something waiting, or in progress. */
  get owners(): number {
    return this.#queues.size;
  }

  /** Whether `take` would return something. */
  get isReady(): boolean {
    return this.#ring.size > 0;
  }

  add(burst: B): void {
    let queue = this.#queues.get(burst.owner);
    if (!queue) {
      queue = { owner: burst.owner, bursts: [], debt: 0, inProgress: 0, isHeld: false };
      this.#queues.set(burst.owner, queue);
    }
    queue.bursts.push(burst);
    this.#requests += burst.requests.length;
    if (!queue.isHeld) this.#ring.add(queue);
  }

  /**
   * Several bursts of one owner may be taken together, if there is room when the others had their turn.
   * @returns bursts that weigh at most `max` together; one that is heavier comes alone
   */
  take(max: number): B[] {
    const taken: B[] = [];
    let size = 0;
    let requests = 0;
    let misfits = 0;
    for (const queue of this.#ring) {
      if (queue.debt > 0) {
        queue.debt -= 1;
        this.#moveBehind(queue);
        continue;
      }
      const [burst] = queue.bursts as [B];
      const { length } = burst.requests;
      const weight = burst.weight ?? length;
      if (size > 0 && size + weight > max) {
        misfits += 1;
        if (misfits === misfitsMax) break;
        continue;
      }
      queue.bursts.shift();
      queue.debt = Math.min(weight, Math.max(length, debtMax)) - 1;
      taken.push(burst);
      size += weight;
      requests += length;
      if (queue.bursts.length > 0) this.#moveBehind(queue);
      else this.#ring.delete(queue);
      if (size >= max) break;
    }
    this.#requests -= requests;
    this.#hold(taken);
    return taken;
  }

  /** The places of these bursts are free again. */
  release(bursts: readonly B[]): void {
    for (const { owner } of bursts) {
      const queue = this.#queues.get(owner);
      if (!queue || queue.inProgress === 0) continue;
      queue.inProgress -= 1;
      if (queue.isHeld && queue.inProgress < this.#placesOf(owner)) {
        queue.isHeld = false;
        if (queue.bursts.length > 0) this.#ring.add(queue);
      }
      if (queue.inProgress === 0 && queue.bursts.length === 0) this.#queues.delete(owner);
    }
  }

  /** Gives these bursts their places, and forgets the owners that have nothing more. */
  #hold(taken: readonly B[]): void {
    for (const { owner } of taken) {
      const queue = this.#queues.get(owner);
      if (!queue) continue;
      const places = this.#placesOf(owner);
      if (places < Number.POSITIVE_INFINITY) {
        queue.inProgress += 1;
        queue.isHeld = queue.inProgress >= places;
        if (queue.isHeld) this.#ring.delete(queue);
      } else if (queue.bursts.length === 0) this.#queues.delete(owner);
    }
  }

  #moveBehind(queue: OwnerQueue<B>): void {
    this.#ring.delete(queue);
    this.#ring.add(queue);
  }
}
