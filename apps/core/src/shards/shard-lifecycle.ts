import { type Check, createPart, type Lifecycle, type Log } from '@hooligram/service';

/** What runs on one of several Redis: its conditions decide whether that one works, not whether the process is ready. */
export class ShardLifecycle {
  /** For what is started on this Redis: as that of the process. */
  readonly lifecycle: Lifecycle;
  readonly #log: Log;
  readonly #checks = new Map<string, Check>();
  readonly #closers: { readonly name: string; readonly close: () => unknown }[] = [];
  #isClosing = false;

  /** @param address as the log may have it */
  constructor(whole: Lifecycle, log: Log, address: string) {
    this.#log = log;
    this.lifecycle = {
      ...whole,
      onClose: (name, close) => {
        if (this.#isClosing) void this.#close(name, close);
        else this.#closers.push({ name, close });
      },
      check: (name, check) => void this.#checks.set(name, check),
      part: (name) => {
        const part = createPart(`${name} of ${address}`, log);
        this.#checks.set(name, part.check);
        return part;
      },
    };
  }

  /** `true` if all of it works, else what does not. */
  check(): true | string {
    for (const [name, check] of this.#checks) {
      const answer = check();
      if (typeof answer === 'string') return `${name}: ${answer}`;
    }
    return true;
  }

  /** Undoes what was started, last first. Resolves when all of it is undone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      await this.#close(closer.name, closer.close);
    }
  }

  async #close(name: string, close: () => unknown): Promise<void> {
    try {
      await close();
    } catch (err) {
      this.#log.error({ err, part: name }, 'could not be stopped cleanly');
    }
  }
}
