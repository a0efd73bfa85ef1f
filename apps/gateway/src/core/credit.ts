import { Queue } from '../queue.ts';

/** How large an answer can be at most, and how large it probably is: no more than that. */
export type AnswerSize = { readonly most: number; readonly probable: number };

type Asked = { readonly size: AnswerSize; begin(): void };

/** Who takes turns: a connection, a group, or anything else that asks for itself. */
export type Asker = object & { readonly messageBytes?: number };

/** Which part of the credit answers may have by their probable sizes. */
const probableShare = 1 / 8;

/**
 * How many bytes of answers may be on their way to this gateway. There are two bounds:
 *
 * - of what they can have at most: what is more than a Redis subscriber may leave unread costs it all its subscriptions.
 * - an eighth of that, of what they probably have: all that is on its way comes before the next message, on the same
 *   connection and in the same process. Answers that are small are asked for by the hundred, large ones a few at a time.
 *
 * Those who ask for much take turns, so one with thousands of groups keeps nobody waiting.
 */
export class Credit {
  readonly #bytesMax: number;
  readonly #waiting = new Map<Asker, Queue<Asked>>();
  #bytes = 0;
  #probableBytes = 0;
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
  take(asker: Asker, size: AnswerSize, begin: () => void): void {
    const known = this.#waiting.get(asker);
    const queue = known ?? new Queue<Asked>();
    if (!known) this.#waiting.set(asker, queue);
    queue.push({ size, begin });
    this.#asked += 1;
    this.#giveTurns();
  }

  giveBack({ most, probable }: AnswerSize): void {
    this.#bytes -= most;
    this.#probableBytes -= probable;
    this.#giveTurns();
  }

  #isRoomFor({ most, probable }: AnswerSize): boolean {
    if (this.#bytes === 0) return true;
    if (this.#bytes + most > this.#bytesMax) return false;
    return this.#probableBytes === 0 || this.#probableBytes + probable <= this.#bytesMax * probableShare;
  }

  #giveTurns(): void {
    for (const [asker, queue] of this.#waiting) {
      const next = queue.first();
      if (next && !this.#isRoomFor(next.size)) return;
      queue.shift();
      // Behind all others, if there is more.
      this.#waiting.delete(asker);
      if (queue.size > 0) this.#waiting.set(asker, queue);
      if (!next) continue;
      this.#asked -= 1;
      this.#bytes += next.size.most;
      this.#probableBytes += next.size.probable;
      next.begin();
    }
  }
}
