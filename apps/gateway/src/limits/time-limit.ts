/** Looks so often for connections whose time is over. */
const lookEveryMs = 1_000;

type Options<C> = {
  readonly withinMs: number;
  /** Whether a connection whose time is over gets it again. Default: none does. */
  readonly isRenewed?: (connection: C) => boolean;
  /** The time of a connection is over. */
  readonly onOver: (connection: C) => void;
};

/** Connections on which something has to happen, and until when on each of them. All have the same time. */
export class TimeLimit<C> {
  readonly #options: Options<C>;
  readonly #nowMs: () => number;
  /** In the order of their ends. */
  readonly #endsAtMs = new Map<C, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param nowMs a clock that never goes back */
  constructor(options: Options<C>, nowMs = () => performance.now()) {
    this.#options = options;
    this.#nowMs = nowMs;
  }

  /** Its time begins, or begins again. */
  begin(connection: C): void {
    this.#endsAtMs.delete(connection);
    this.#endsAtMs.set(connection, this.#nowMs() + this.#options.withinMs);
    this.#timer ??= setInterval(() => this.look(), lookEveryMs).unref();
  }

  /** It has no time any more. */
  end(connection: C): void {
    this.#endsAtMs.delete(connection);
  }

  look(): void {
    const { isRenewed, onOver } = this.#options;
    const nowMs = this.#nowMs();
    for (const [connection, endsAtMs] of this.#endsAtMs) {
      if (endsAtMs > nowMs) break;
      this.#endsAtMs.delete(connection);
      if (isRenewed?.(connection)) this.begin(connection);
      else onOver(connection);
    }
    if (this.#endsAtMs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
