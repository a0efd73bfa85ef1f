import type { Session } from './session.ts';

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
  #waiting: (() => void)[] = [];

  constructor(session: Session, size: number) {
    this.#session = session;
    this.#size = size;
    this.#portion = Math.ceil(size / 4);
  }

  /** Waits for room, and holds it until `release`. @returns for how many messages; 0 if the socket is closed */
  async reserve(): Promise<number> {
    while (this.#session.socket.isOpen) {
      if (this.#size - this.#reserved - this.#unacknowledged() >= this.#portion) {
        this.#reserved += this.#portion;
        return this.#portion;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return 0;
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

  wake(): void {
    this.#acknowledged = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
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
