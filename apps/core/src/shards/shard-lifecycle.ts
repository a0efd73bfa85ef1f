import { ShardChecks } from '@hooligram/bus';
import type { Lifecycle, Log } from '@hooligram/service';

type Closer = { readonly name: string; readonly close: () => unknown };

/**
 * What runs on one of several Redis: its conditions decide whether that one works, not whether the process is ready.
 *
 * It is undone in two steps: what was started, while the database is still there, and what that needed, the connections.
 */
export class ShardLifecycle {
  /** For what is started on this Redis: as that of the process. */
  readonly lifecycle: Lifecycle;
  readonly checks: ShardChecks;
  readonly #log: Log;
  readonly #connected: Closer[] = [];
  readonly #started: Closer[] = [];
  #isStarting = false;
  #isStopped = false;
  #isClosed = false;

  /** @param address as the log may have it */
  constructor(whole: Lifecycle, log: Log, address: string) {
    this.#log = log;
    this.checks = new ShardChecks(address, log);
    this.lifecycle = {
      ...whole,
      // Another one after the stop has begun.
      get isFailing() {
        return whole.isFailing;
      },
      onClose: (name, close) => {
        const isTooLate = this.#isStarting ? this.#isStopped : this.#isClosed;
        if (isTooLate) void this.#undo({ name, close });
        else (this.#isStarting ? this.#started : this.#connected).push({ name, close });
      },
      check: (name, check) => this.checks.check(name, check),
      part: (name) => this.checks.part(name),
    };
  }

  /** What is registered from now on uses the connections that were registered before. */
  begin(): void {
    this.#isStarting = true;
  }

  /** Undoes what was started, last first. Resolves when all of it is undone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#undoAll(this.#started);
  }

  /** Undoes the rest. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#undoAll(this.#connected);
  }

  async #undoAll(closers: Closer[]): Promise<void> {
    for (let closer = closers.pop(); closer; closer = closers.pop()) await this.#undo(closer);
  }

  async #undo({ name, close }: Closer): Promise<void> {
    try {
      await close();
    } catch (err) {
      this.#log.error({ err, part: name }, 'could not be stopped cleanly');
    }
  }
}
