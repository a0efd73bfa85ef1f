import { Queue } from '../queue.ts';

/** How large an answer can be at most, and how large it probably is: no more than that. */
export type AnswerSize = { readonly most: number; readonly probable: number };

/**
 * Who takes turns: a connection, a group, or anything else that asks for itself. What is asked for one that is not open any
 * more is not needed when its turn comes. One that asks for several takes the turns of `turnsOf`, open or not.
 */
export type Asker = object & {
  readonly messageBytes?: number;
  readonly isOpen?: boolean;
  readonly turnsOf?: object;
};

type Asked = {
  readonly size: AnswerSize;
  /** Called when there is so much credit, which is held from then on until it is given back. */
  begin(): void;
  /** Called in place of that if the asker is not open any more; nothing is held. */
  withdraw(): void;
};

/** By whose turn it is. */
type Ring = Map<object, Queue<{ readonly asker: Asker; readonly asked: Asked }>>;

/** Which part of the credit answers may have by their probable sizes. */
const probableShare = 1 / 8;

/**
 * How many bytes of answers may be on their way to this gateway. There are two bounds:
 *
 * - of what they can have at most: what is more than a Redis subscriber may leave unread costs it all its subscriptions.
 * - an eighth of that, of what they probably have: all that is on its way comes before the next message, on the same
 *   connection and in the same process. Answers that are small are asked for by the hundred, large ones a few at a time.
 *
 * Those who ask for much take turns, so one with thousands of groups keeps nobody waiting. Pages of replays come behind all
 * else: there are any number of them, and others wait for what else is asked, who sign in or whose messages wait behind a gap.
 */
export class Credit {
  readonly #bytesMax: number;
  readonly #first: Ring = new Map();
  readonly #replays: Ring = new Map();
  #bytes = 0;
  #probableBytes = 0;
  #asked = 0;
  #isGivingTurns = false;

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

  /** @param isReplay whether it is a page of a replay */
  take(asker: Asker, asked: Asked, isReplay = false): void {
    const ring = isReplay ? this.#replays : this.#first;
    const turnsOf = asker.turnsOf ?? asker;
    const known = ring.get(turnsOf);
    const queue = known ?? new Queue();
    if (!known) ring.set(turnsOf, queue);
    queue.push({ asker, asked });
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

  /** What is given back within a turn is for the next ones: thousands may be settled as soon as they begin. */
  #giveTurns(): void {
    if (this.#isGivingTurns) return;
    this.#isGivingTurns = true;
    try {
      while (this.#giveTurn(this.#first.size > 0 ? this.#first : this.#replays));
    } finally {
      this.#isGivingTurns = false;
    }
  }

  /** @returns false if nobody in the ring can have a turn now */
  #giveTurn(ring: Ring): boolean {
    const [turn] = ring;
    if (!turn) return false;
    const [turnsOf, queue] = turn;
    const first = queue.first();
    const next = first?.asked;
    const isNeeded = first?.asker.isOpen !== false;
    if (next && isNeeded && !this.#isRoomFor(next.size)) return false;
    queue.shift();
    // Behind all others, if there is more.
    ring.delete(turnsOf);
    if (queue.size > 0) ring.set(turnsOf, queue);
    if (!next) return true;
    this.#asked -= 1;
    if (!isNeeded) next.withdraw();
    else {
      this.#bytes += next.size.most;
      this.#probableBytes += next.size.probable;
      next.begin();
    }
    return true;
  }
}
