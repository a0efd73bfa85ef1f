import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RedisForm } from './redis-set.ts';
import type { StackDescription } from './stack-file.ts';

const launcher = fileURLToPath(new URL('../dist/main.js', import.meta.url));
/** A process that was killed names the signal instead. */
const crash = /(gateway|core)-\d+ .*ended: exit code [1-9]/;
/** Each part of a start has a limit of its own; together they may take long on a busy machine. */
const startTimeoutMs = 600_000;
const stopTimeoutMs = 60_000;

type StackProcessOptions = {
  readonly gateways: number;
  readonly cores: number;
  readonly port: number;
  readonly dataDir: string;
  /** See StackOptions. */
  readonly releases?: string | undefined;
  /** See StackOptions. */
  readonly redises?: RedisForm | undefined;
  /** A Redis that the caller has started for it, in any form of REDIS_URL. Default: it starts one. */
  readonly redisUrl?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
};

/** What `stack.json` says of a stack whose stores are its own; without a pid of a Redis that it was given. */
export type OwnStack = StackDescription & {
  readonly postgres: { readonly pid: number };
};

/** A local stack that one run of a tool has for itself. The tool may end the processes that `stack.json` names, and no other. */
export type StackProcess = {
  /** As it is now: the pids change when the launcher starts a process again. */
  describe(): OwnStack;
  /** Gateways and cores that ended with an error of their own, in the launcher's words. */
  readonly crashes: readonly string[];
  stop(): Promise<void>;
};

/** Starts the launcher behind `npm start` on empty data, and waits until its smoke test has passed. */
export async function startStackProcess(
  { env = {}, redisUrl = '', ...options }: StackProcessOptions,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<StackProcess> {
  const dataDir = resolve(options.dataDir);
  const startedAt = Date.now();
  const child = spawn(process.execPath, [launcher, JSON.stringify({ ...options, dataDir, fresh: true })], {
    // Stores of its own: those of the environment hold data of the user.
    env: { ...process.env, ...env, DATABASE_URL: '', REDIS_URL: redisUrl },
    detached: true,
    // When this process ends, the channel closes, and the launcher stops what it has started.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const lines: string[] = [];
  const crashes: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      for (const line of String(data).split('\n').filter(Boolean)) {
        lines.push(line);
        if (crash.test(line)) crashes.push(line.trim());
        if (/ended|cannot|not ready|failed/.test(line)) log(`stack: ${line.trim()}`);
      }
    });
  }
  const file = join(dataDir, 'run', 'stack.json');
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGTERM'), stopTimeoutMs);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    clearTimeout(late);
  };
  try {
    await whenPublished(child, file, startedAt, signal);
  } catch (error) {
    await stop();
    throw new Error(`the stack did not start: ${(error as Error).message}\n${lines.join('\n')}`);
  }
  return {
    describe: () => JSON.parse(readFileSync(file, 'utf8')) as OwnStack,
    crashes,
    stop,
  };
}

async function whenPublished(
  child: ChildProcess,
  file: string,
  startedAt: number,
  signal: AbortSignal,
): Promise<void> {
  // A file that a killed run left behind is older.
  const isPublished = () => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= startedAt;
  while (!isPublished()) {
    if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode}`);
    if (Date.now() - startedAt > startTimeoutMs)
      throw new Error(`not ready after ${startTimeoutMs / 1000} s`);
    await pause(100, undefined, { signal });
  }
}
