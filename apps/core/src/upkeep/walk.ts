const lookEveryMaxMs = 60_000;
/** So many times as long as a portion took, nothing is deleted: the upkeep has a fifth of one connection at most. */
const restFactor = 4;

type Options = {
  /** Deletes something. @returns whether that was all for now */
  readonly portion: () => Promise<boolean>;
  /** The most time until it looks again when that was all. */
  readonly everyMs: number;
  readonly onFailure: (err: unknown) => void;
};

/** Runs one portion after the other, with pauses, for as long as there is something to do; then looks now and then. */
export class Walk {
  readonly #options: Options;
  #timer: NodeJS.Timeout | undefined;
  #portion: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: Options) {
    this.#options = options;
    this.#runAfter(this.#lookEveryMs);
  }

  /** Resolves when no portion is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#portion;
  }

  get #lookEveryMs(): number {
    return Math.min(lookEveryMaxMs, this.#options.everyMs);
  }

  #runAfter(pauseMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#portion = this.#run();
    }, pauseMs);
  }

  async #run(): Promise<void> {
    const { portion, onFailure } = this.#options;
    const begunAt = performance.now();
    let pauseMs = this.#lookEveryMs;
    try {
      const isOver = await portion();
      if (!isOver) pauseMs = restFactor * (performance.now() - begunAt);
    } catch (err) {
      onFailure(err);
    }
    this.#runAfter(pauseMs);
  }
}
