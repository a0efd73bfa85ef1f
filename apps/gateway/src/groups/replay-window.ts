/** What a window has to know of its connection. */
type ReplayingConnection = {
  readonly isOpen: boolean;
  /** How many replayed messages are on their way. */
  replayedUnacknowledged(): number;
};

/**
 * The credit of one connection for replayed messages: how many of them, of all its groups together, may be on their
 * way unacknowledged. However much waits for a user who was away, it floods neither their socket nor our memory. Live
 * messages do not count; they come after the replay of their group.
 */
export class ReplayWindow {
  readonly #connection: ReplayingConnection;
  readonly #size: number;
  /** Room is given out in portions of this size, so that several groups are replayed side by side. */
  readonly #portion: number;
  #reserved = 0;
  #acknowledged = 0;
  #waiting: ((messages: number) => void)[] = [];

  constructor(connection: ReplayingConnection, size: number) {
    this.#connection = connection;
    this.#size = size;
    this.#portion = Math.ceil(size / 4);
  }

  /** Waits for room, first come, first served, and holds it. @returns for how many messages; 0 if the connection is closed */
  reserve(): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.wake();
    });
  }

  /** Gives room back; what was sent of it is counted as unacknowledged from then on. */
  release(messages: number): void {
    this.#reserved -= messages;
    this.wake();
  }

  /** While a replay waits, a portion or more is unacknowledged, so a portion of acknowledgements will come. */
  onAcknowledged(): void {
    if (this.#waiting.length === 0) return;
    this.#acknowledged += 1;
    if (this.#acknowledged >= this.#portion) this.wake();
  }

  /** Call it whenever there may be room for a reason other than an acknowledgement. */
  wake(): void {
    if (this.#waiting.length === 0) return;
    this.#acknowledged = 0;
    if (!this.#connection.isOpen) {
      for (const resolve of this.#waiting.splice(0)) resolve(0);
      return;
    }
    let room = this.#size - this.#reserved - this.#connection.replayedUnacknowledged();
    for (; room >= this.#portion && this.#waiting.length > 0; room -= this.#portion) {
      this.#reserved += this.#portion;
      this.#waiting.shift()?.(this.#portion);
    }
    // An empty list that had elements keeps their memory.
    if (this.#waiting.length === 0) this.#waiting = [];
  }
}
