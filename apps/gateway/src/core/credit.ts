import { Queue } from '../queue.ts';

type Asked = { readonly bytes: number; begin(): void };

/** Who takes turns: a connection, a group, or anything else that asks for itself. */
export type Asker = object;

/**
 * How many bytes of answers may be on their way to this gateway: what is more than a Redis subscriber may leave unread
 * costs it all its subscriptions. Those who ask for much take turns, so one with thousands of groups keeps nobody
 * waiting.
 */
export class Credit {
  readonly #bytesMax: number;
  readonly #waiting = new Map<Asker, Queue<Asked>>();
  #bytes = 0;
  #asked = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** How much of it is held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many requests wait for their turn. */
  get waiting(): number {
    return this.#asked;
  }

  /** Calls `begin` when there is so much credit, and holds it until it is given back. */
  take(asker: Asker, bytes: number, begin: () => void): void {
    const known = this.#waiting.get(asker);
    const queue = known ?? new Queue<Asked>();
    if (!known) this.#waiting.set(asker, queue);
    queue.push({ bytes, begin });
    this.#asked += 1;
    this.#giveTurns();
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#giveTurns();
  }

  #giveTurns(): void {
    for (const [asker, queue] of this.#waiting) {
      const next = queue.first();
      if (next && this.#bytes > 0 && this.#bytes + next.bytes > this.#bytesMax) return;
      queue.shift();
      // Behind all others, if there is more.
      this.#waiting.delete(asker);
      if (queue.size > 0) this.#waiting.set(asker, queue);
      if (!next) continue;
      this.#asked -= 1;
      this.#bytes += next.bytes;
      next.begin();
    }
  }
}
