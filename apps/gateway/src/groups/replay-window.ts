import { Queue } from '../queue.ts';

type Waiting = { readonly messages: number; resolve(messages: number): void };

/**
 * The credit of one connection for replayed messages: how many of them, of all its groups together, may be on their
 * way unacknowledged. However much waits for a user who was away, it floods neither their socket nor our memory. Live
 * messages do not count; they come after the replay of their group.
 *
 * What is on its way is a number that moves with what is sent, acknowledged and left: no step looks at all groups.
 */
export class ReplayWindow {
  readonly #size: number;
  /** Most room that is given out at once, so that several groups are replayed side by side. */
  readonly #portion: number;
  readonly #waiting = new Queue<Waiting>();
  #reserved = 0;
  #unacknowledged = 0;
  #isClosed = false;

  constructor(size: number) {
    this.#size = size;
    this.#portion = Math.ceil(size / 4);
  }

  /** How many replayed messages are on their way. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /**
   * Waits for room, first come, first served, and holds it.
   * @param messages how many wait to be sent
   * @returns for how many of them there is room; 0 if the window is closed
   */
  reserve(messages: number): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.push({ messages: Math.min(messages, this.#portion), resolve });
      this.#giveRoom();
    });
  }

  /** Gives room back. What was sent of it is on its way. */
  release(messages: number): void {
    this.#reserved -= messages;
    this.#giveRoom();
  }

  /** So many more messages are on their way; less if it is negative. */
  add(messages: number): void {
    this.#unacknowledged += messages;
    if (messages < 0) this.#giveRoom();
  }

  /** Who waits gets no room. */
  close(): void {
    this.#isClosed = true;
    this.#giveRoom();
  }

  #giveRoom(): void {
    for (let next = this.#waiting.first(); next; next = this.#waiting.first()) {
      const messages = this.#isClosed ? 0 : next.messages;
      if (messages > 0 && messages > this.#size - this.#reserved - this.#unacknowledged) return;
      this.#reserved += messages;
      this.#waiting.shift();
      next.resolve(messages);
    }
  }
}
