import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { logTail } from './log-file.ts';
import { StartError } from './start-error.ts';

const pollMs = 25;

/** Signals that a process is sent and goes on. */
const harmless: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGCONT', 'SIGHUP'];

export type ProcessSpec = {
  /** How it is called in lines for people, and its log file's name: `gateway-1`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly argv0?: string | undefined;
  readonly cwd?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
  /** In a process group of its own, so that a Ctrl-C at the terminal reaches it only through this process. */
  readonly detached: boolean;
};

/**
 * A child process whose output goes to a log file. The file is the child's own, so that it logs on when this process is
 * killed: execa would carry the output through this process.
 */
export class RunningProcess {
  /** Resolves with how it ended; never rejects. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #spec: ProcessSpec;
  #wasToldToEnd = false;

  /** @throws StartError when the program cannot be run at all */
  static async start(spec: ProcessSpec): Promise<RunningProcess> {
    mkdirSync(dirname(spec.logFile), { recursive: true });
    const log = openSync(spec.logFile, 'a', 0o600);
    const child = spawn(spec.command, spec.args, { ...spec, stdio: ['ignore', log, log] });
    closeSync(log);
    const running = new RunningProcess(child, spec);
    await once(child, 'spawn').catch((error: Error) => {
      throw new StartError(`${spec.name} cannot be started: ${error.message}`);
    });
    child.unref();
    return running;
  }

  private constructor(child: ChildProcess, spec: ProcessSpec) {
    this.#child = child;
    this.#spec = spec;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Whether it was sent a signal to end by this process. */
  get wasToldToEnd(): boolean {
    return this.#wasToldToEnd;
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.isRunning()) return;
    if (!harmless.includes(signal)) this.#wasToldToEnd = true;
    this.#child.kill(signal);
  }

  /** Asks it to end, and kills it after the deadline. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.kill(this.#spec.stopSignal);
    const timer = setTimeout(() => this.kill('SIGKILL'), this.#spec.stopTimeoutMs);
    // Until it has ended, this process stays alive for it.
    this.#child.ref();
    await this.exited;
    clearTimeout(timer);
  }
}

export type Readiness = {
  /** Asked again and again; a throw or false means not yet. */
  readonly isReady: () => Promise<boolean>;
  readonly readyTimeoutMs: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Waits until a process that was just started does its work.
 * @throws StartError with the end of its log when it ends first or takes too long
 */
export async function whenReady(
  { name, logFile }: Pick<ProcessSpec, 'name' | 'logFile'>,
  running: Pick<RunningProcess, 'exited'>,
  { isReady, readyTimeoutMs, signal }: Readiness,
): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  let ended: string | undefined;
  running.exited.then((how) => {
    ended = how;
  });
  for (;;) {
    if (await isReady().catch(() => false)) return;
    signal?.throwIfAborted();
    if (ended !== undefined) throw new StartError(`${name} ended at its start: ${ended}${logTail(logFile)}`);
    if (Date.now() > deadline) {
      throw new StartError(`${name} is not ready after ${readyTimeoutMs / 1000} s${logTail(logFile)}`);
    }
    await pause(pollMs);
  }
}
