import type { Pass } from '@hooligram/db';

const lookEveryMaxMs = 60_000;
/**
 * So many times as long as a portion took, nothing is deleted after it: the upkeep has a fifth of one connection. The longer a pass
 * takes, the less, since it may not follow what is stored; but never more than half.
 */
const restFactorMax = 4;
const restFactorMin = 1;
/** After so long a pass rests least. */
const passMaxMs = 86_400_000;

type Options = {
  /** Deletes something. */
  readonly portion: () => Promise<Pass>;
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
      const { is_over, pass_ms } = await portion();
      if (!is_over) pauseMs = restFactor(pass_ms) * (performance.now() - begunAt);
    } catch (err) {
      onFailure(err);
    }
    this.#runAfter(pauseMs);
  }
}

/** @param passMs since the pass began; a database whose clock was set back may say less than nothing */
export function restFactor(passMs: number): number {
  const share = Math.min(1, Math.max(0, passMs / passMaxMs));
  return restFactorMax - share * (restFactorMax - restFactorMin);
}
