/** Looks so often for connections whose time is over. */
const lookEveryMs = 1_000;

/** Connections on which nobody is signed in yet, and until when each of them may wait for that. */
export class SignInTimes<C> {
  readonly #withinMs: number;
  readonly #onOver: (connection: C) => void;
  readonly #nowMs: () => number;
  /** In the order of their ends: all have the same time. */
  readonly #endsAtMs = new Map<C, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(withinMs: number, onOver: (connection: C) => void, nowMs = () => performance.now()) {
    this.#withinMs = withinMs;
    this.#onOver = onOver;
    this.#nowMs = nowMs;
  }

  /** Its time begins, or begins again. */
  begin(connection: C): void {
    this.#endsAtMs.delete(connection);
    this.#endsAtMs.set(connection, this.#nowMs() + this.#withinMs);
    this.#timer ??= setInterval(() => this.look(), lookEveryMs).unref();
  }

  /** @returns false if it had no time any more, or never had */
  end(connection: C): boolean {
    return this.#endsAtMs.delete(connection);
  }

  has(connection: C): boolean {
    return this.#endsAtMs.has(connection);
  }

  look(): void {
    const nowMs = this.#nowMs();
    for (const [connection, endsAtMs] of this.#endsAtMs) {
      if (endsAtMs > nowMs) break;
      this.#endsAtMs.delete(connection);
      this.#onOver(connection);
    }
    if (this.#endsAtMs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
