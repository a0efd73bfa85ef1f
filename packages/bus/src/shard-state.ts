const silenceMaxDefaultMs = 2_000;
/** How often one that missed something is looked at. */
const lookEveryMs = 500;

type Options = {
  /** Whether its connections are there. Asked for each publication. */
  isConnected(): boolean;
  /** Whether it works, by every proof. */
  works(): boolean;
  /** Makes good what it missed. Called again if it rejects. */
  makeGood(): Promise<void>;
  /** So long others wait for this Redis, and no longer: it is taken to be away then, until it has answered. */
  silenceMaxMs?: number;
};

/**
 * One of several Redis, as those see it who write to all of them: whether it is away, and whether it missed something
 * meanwhile. Nobody waits for one that is away, and nothing for it is kept.
 *
 * Guarantee: after each `miss`, `makeGood` begins when it works again.
 */
export class ShardState {
  readonly #options: Options;
  readonly #silenceMaxMs: number;
  /** How much work with it has taken too long and has not ended. */
  #late = 0;
  #looking: NodeJS.Timeout | undefined;
  #makingGood = 0;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#silenceMaxMs = options.silenceMaxMs ?? silenceMaxDefaultMs;
  }

  get isAway(): boolean {
    return this.isSilent || !this.#options.isConnected();
  }

  /** Whether something that was sent to it has been without an answer for too long. */
  get isSilent(): boolean {
    return this.#late > 0;
  }

  /** Whether it missed something that was not made good. */
  get hasMissed(): boolean {
    return this.#looking !== undefined || this.#makingGood > 0;
  }

  /** Something that was meant for it has not reached it, or perhaps not. */
  miss(): void {
    if (this.#isClosed) return;
    this.#looking ??= setInterval(() => this.#look(), lookEveryMs);
  }

  /** Waits for work with it, if it does not take too long. Never rejects: work that fails, or is late, was missed. */
  settle(work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      let hasEnded = false;
      let isLate = false;
      const beLate = () => {
        if (hasEnded) return;
        isLate = true;
        this.#late += 1;
        this.miss();
        resolve();
      };
      const dueAt = performance.now() + this.#silenceMaxMs;
      let timer = setTimeout(() => {
        // If this process itself stood still, answers have come: they are read, and what follows them gets its time.
        const wasHeldUp = performance.now() - dueAt > this.#silenceMaxMs / 4;
        if (wasHeldUp) timer = setTimeout(() => setImmediate(beLate), this.#silenceMaxMs);
        else setImmediate(beLate);
      }, this.#silenceMaxMs);
      const end = () => {
        hasEnded = true;
        clearTimeout(timer);
        if (isLate) this.#late -= 1;
        resolve();
      };
      work.then(end, () => {
        this.miss();
        end();
      });
    });
  }

  /** Nothing is made good any more. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#looking);
  }

  #look(): void {
    const { works, makeGood } = this.#options;
    if (this.isAway || !works()) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
    this.#makingGood += 1;
    makeGood()
      .catch(() => this.miss())
      .finally(() => {
        this.#makingGood -= 1;
      });
  }
}
