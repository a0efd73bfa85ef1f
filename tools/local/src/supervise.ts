import { type ProcessSpec, type Readiness, RunningProcess, whenReady } from './running-process.ts';

export type SuperviseOptions = Readiness & {
  readonly beforeStart?: (() => void) | undefined;
  /** Called after every start with the pid that the process has from now on. */
  readonly onPid?: ((pid: number) => void) | undefined;
  readonly log?: ((line: string) => void) | undefined;
  readonly restart: boolean;
};

const steadyAfterMs = 5_000;
const pausesMs = [50, 250, 1_000, 2_000, 5_000, 10_000, 30_000] as const;

/** The pause before a restart of a process that died `failures` times in a row, without a steady run between. */
export function restartPauseMs(failures: number): number {
  return pausesMs[Math.min(Math.max(failures, 1), pausesMs.length) - 1] as number;
}

/**
 * A process that is started again whenever it dies: the first time at once, as an orchestrator would, and after growing
 * pauses while it keeps dying. (execa starts nothing again.)
 */
export class SupervisedProcess {
  readonly #spec: ProcessSpec;
  readonly #options: SuperviseOptions;
  #running!: RunningProcess;
  #restarts = 0;
  #failures = 0;
  #isStopping = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @returns when it is ready for the first time
   * @throws StartError when it does not get ready; then it has been stopped
   */
  static async start(spec: ProcessSpec, options: SuperviseOptions): Promise<SupervisedProcess> {
    const supervised = new SupervisedProcess(spec, options);
    const startedAt = await supervised.#start();
    try {
      await whenReady(spec, supervised.#running, options);
    } catch (error) {
      await supervised.stop();
      throw error;
    }
    supervised.#watch(startedAt);
    return supervised;
  }

  private constructor(spec: ProcessSpec, options: SuperviseOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  /** Of the process as it is now, or was last. */
  get pid(): number {
    return this.#running.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  isRunning(): boolean {
    return this.#running.isRunning();
  }

  kill(signal: NodeJS.Signals): void {
    this.#running.kill(signal);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#running.stop();
  }

  async #start(): Promise<number> {
    const startedAt = Date.now();
    this.#options.beforeStart?.();
    this.#running = await RunningProcess.start(this.#spec);
    this.#options.onPid?.(this.pid);
    return startedAt;
  }

  #watch(startedAt: number): void {
    void this.#running.exited.then((how) => {
      if (this.#isStopping || !this.#options.restart) return;
      this.#failures = Date.now() - startedAt >= steadyAfterMs ? 1 : this.#failures + 1;
      const pauseMs = restartPauseMs(this.#failures);
      const when = pauseMs < 1_000 ? '' : ` in ${pauseMs / 1_000} s`;
      this.#options.log?.(`${this.#spec.name} (pid ${this.pid}) ended: ${how}; starting it again${when}`);
      this.#restartAfter(pauseMs);
    });
  }

  #restartAfter(pauseMs: number): void {
    this.#timer = setTimeout(async () => {
      try {
        const startedAt = await this.#start();
        this.#restarts += 1;
        if (this.#isStopping) await this.#running.stop();
        else this.#watch(startedAt);
      } catch (error) {
        this.#failures += 1;
        this.#options.log?.(`${this.#spec.name}: ${(error as Error).message}`);
        if (!this.#isStopping) this.#restartAfter(restartPauseMs(this.#failures));
      }
    }, pauseMs);
  }
}
