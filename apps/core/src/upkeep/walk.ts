const lookEveryMaxMs = 60_000;
/** So many times as long as a portion took, nothing is deleted after it: the upkeep has a fifth of one connection. */
const restFactorMax = 4;
/** A pass that takes longer does not follow what is stored. */
const passMaxMs = 86_400_000;

type Portion = {
  /** That was all for now. */
  readonly isOver: boolean;
  /** Since the pass began to which it belongs, by whichever process. */
  readonly passMs: number;
};

type Options = {
  /** Deletes something. */
  readonly portion: () => Promise<Portion>;
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
      const { isOver, passMs } = await portion();
      if (!isOver) pauseMs = restFactor(passMs) * (performance.now() - begunAt);
    } catch (err) {
      onFailure(err);
    }
    this.#runAfter(pauseMs);
  }
}

/** Less, the longer a pass takes: in the end the upkeep has one connection for itself. */
export function restFactor(passMs: number): number {
  return restFactorMax * Math.max(0, 1 - passMs / passMaxMs);
}
