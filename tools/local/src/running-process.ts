import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { logTail } from './log-file.ts';
import { StartError } from './start-error.ts';

const pollMs = 25;

export interface ProcessSpec {
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
  /** In a process group of its own, so that a Ctrl-C at the terminal reaches it only through us. */
  readonly detached: boolean;
}

export interface RunningProcess {
  readonly pid: number;
  /** Resolves with how it ended; never rejects. */
  readonly exited: Promise<string>;
  isRunning(): boolean;
  /** Asks it to end, and kills it after the deadline. Resolves when it is gone. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** @throws StartError when the program cannot be run at all */
export async function startProcess(spec: ProcessSpec): Promise<RunningProcess> {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  const child = spawn(spec.command, spec.args, {
    argv0: spec.argv0,
    cwd: spec.cwd,
    env: spec.env,
    uid: spec.uid,
    gid: spec.gid,
    detached: spec.detached,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let running = true;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      running = false;
      resolve(signal ? `killed by ${signal}` : `exit code ${code}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(new StartError(`${spec.name} cannot be started: ${error.message}`)),
    );
  });
  child.unref();

  const kill = (signal: NodeJS.Signals) => {
    if (running) child.kill(signal);
  };
  const stop = async () => {
    kill(spec.stopSignal);
    const timer = setTimeout(() => kill('SIGKILL'), spec.stopTimeoutMs);
    // While we wait for it, it is a reason to stay alive.
    child.ref();
    await exited;
    clearTimeout(timer);
  };
  return { pid: child.pid as number, exited, isRunning: () => running, stop, kill };
}

export interface Readiness {
  /** Asked again and again; a throw or false means not yet. */
  readonly isReady: () => Promise<boolean>;
  readonly readyTimeoutMs: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
}

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
