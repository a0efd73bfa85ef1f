import type { Session } from '../session.ts';

/**
 * How many replayed messages of all its groups may be on their way to one connection, unacknowledged: what waits
 * for somebody who was away, however much it is, floods neither their socket nor our memory. Live messages do
 * not count; they come after the replay of their group.
 */
export class ReplayWindow {
  readonly #session: Session;
  readonly #size: number;
  /** Room is given out in such portions, so that several groups are replayed side by side. */
  readonly #portion: number;
  #reserved = 0;
  #acknowledged = 0;
  #waiting: ((messages: number) => void)[] = [];

  constructor(session: Session, size: number) {
    this.#session = session;
    this.#size = size;
    this.#portion = Math.ceil(size / 4);
  }

  /** Waits for room, first come, first served, and holds it. @returns for how many messages; 0 if the socket is closed */
  reserve(): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.wake();
    });
  }

  /** Gives room back; what was sent of it counts by itself from then on. */
  release(messages: number): void {
    this.#reserved -= messages;
    this.wake();
  }

  /** At least a portion is unacknowledged while somebody waits, so that many acknowledgements will come. */
  onAcknowledged(): void {
    if (this.#waiting.length === 0) return;
    this.#acknowledged += 1;
    if (this.#acknowledged >= this.#portion) this.wake();
  }

  /** To be called whenever there may be room for a reason other than an acknowledgement. */
  wake(): void {
    if (this.#waiting.length === 0) return;
    this.#acknowledged = 0;
    if (!this.#session.socket.isOpen) {
      for (const resolve of this.#waiting.splice(0)) resolve(0);
      return;
    }
    let room = this.#size - this.#reserved - this.#unacknowledged();
    for (; room >= this.#portion && this.#waiting.length > 0; room -= this.#portion) {
      this.#reserved += this.#portion;
      this.#waiting.shift()?.(this.#portion);
    }
    // An empty list that had elements keeps their memory.
    if (this.#waiting.length === 0) this.#waiting = [];
  }

  #unacknowledged(): number {
    const { person, attachments } = this.#session;
    let count = 0;
    if (!person) return count;
    for (const { group, replayFrom, replayThrough } of attachments.values()) {
      const member = group.members.get(person.userId);
      if (member && replayThrough > replayFrom) count += member.unacknowledged(replayFrom, replayThrough);
    }
    return count;
  }
}
