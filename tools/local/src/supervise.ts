import {
  type ProcessSpec,
  type Readiness,
  type RunningProcess,
  startProcess,
  whenReady,
} from './running-process.ts';

export interface SuperviseOptions extends Readiness {
  /** Called before every start. */
  readonly beforeStart?: (() => void) | undefined;
  /** Called after every start with the pid that the process has from now on. */
  readonly onPid?: ((pid: number) => void) | undefined;
  readonly log?: ((line: string) => void) | undefined;
  /** Whether it is started again when it dies. */
  readonly restart: boolean;
}

export interface SupervisedProcess {
  readonly name: string;
  /** Of the process as it is now, or was last. */
  readonly pid: number;
  /** How many times it was started again. */
  readonly restarts: number;
  isRunning(): boolean;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

const steadyAfterMs = 5_000;
const pausesMs = [50, 250, 1_000, 2_000, 5_000, 10_000, 30_000] as const;

/** How long to wait before starting again what has died n times in a row, none of them after a steady run. */
export function restartPauseMs(failures: number): number {
  return pausesMs[Math.min(Math.max(failures, 1), pausesMs.length) - 1] as number;
}

/**
 * Starts a process, and starts it again whenever it dies: the first time at once, as an orchestrator would,
 * and after growing pauses while it keeps dying.
 * @returns when it is ready for the first time
 * @throws StartError when it does not get so far; then nothing of it is left
 */
export async function superviseProcess(
  spec: ProcessSpec,
  options: SuperviseOptions,
): Promise<SupervisedProcess> {
  let running!: RunningProcess;
  let restarts = 0;
  let failures = 0;
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  const log = options.log ?? (() => undefined);

  const start = async () => {
    options.beforeStart?.();
    running = await startProcess(spec);
    options.onPid?.(running.pid);
  };

  const watch = (startedAt: number) => {
    running.exited.then((how) => {
      if (stopping || !options.restart) return;
      failures = Date.now() - startedAt >= steadyAfterMs ? 1 : failures + 1;
      const pauseMs = restartPauseMs(failures);
      log(
        `${spec.name} (pid ${running.pid}) ended: ${how}; starting it again${pauseMs < 1000 ? '' : ` in ${pauseMs / 1000} s`}`,
      );
      scheduleRestart(pauseMs);
    });
  };

  const scheduleRestart = (pauseMs: number) => {
    timer = setTimeout(async () => {
      try {
        const startedAt = Date.now();
        await start();
        restarts += 1;
        if (stopping) await running.stop();
        else watch(startedAt);
      } catch (error) {
        failures += 1;
        log(`${spec.name}: ${(error as Error).message}`);
        if (!stopping) scheduleRestart(restartPauseMs(failures));
      }
    }, pauseMs);
  };

  const firstStartAt = Date.now();
  await start();
  try {
    await whenReady(spec, running, options);
  } catch (error) {
    await running.stop();
    throw error;
  }
  watch(firstStartAt);

  return {
    name: spec.name,
    get pid() {
      return running.pid;
    },
    get restarts() {
      return restarts;
    },
    isRunning: () => running.isRunning(),
    kill: (signal) => running.kill(signal),
    stop: async () => {
      stopping = true;
      clearTimeout(timer);
      await running.stop();
    },
  };
}
