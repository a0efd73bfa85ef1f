import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { acquireLock, releaseLock } from './lock.ts';
import { rotateLog } from './log-file.ts';
import { killRecorded, stopOrphans } from './orphans.ts';
import { StartError } from './start-error.ts';

const marker = '.hooligram';
const contents = ['postgres', 'redis', 'log', 'credential-key'];
/** A folder of a further Redis, of a node of a cluster, or of a Sentinel. */
const furtherRedis = /^redis-/;

/** The folder of a stack, held by this process until it is released. */
export type DataDir = {
  readonly path: string;
  readonly logDir: string;
  /** stack.json and the records of running processes. */
  readonly runDir: string;
  readonly pidsDir: string;
  /** The key of the stored credentials: random, made once, the same at every later start. */
  readonly credentialKey: string;
  release(): void;
};

/**
 * Opens a data folder: makes it if it is missing, stops the processes that a killed stack left running in it, and empties
 * it if asked. Only a folder that has the marker file is ever touched.
 * @throws StartError when the folder is not a data folder, or another stack runs in it
 */
export async function openDataDir(
  path: string,
  isFresh: boolean,
  log: (line: string) => void,
): Promise<DataDir> {
  const dir = resolve(path);
  claim(dir);
  const runDir = join(dir, 'run');
  const pidsDir = pidsDirOf(dir);
  mkdirSync(runDir, { recursive: true });
  const lock = join(runDir, 'launcher.lock');
  const holder = acquireLock(lock);
  if (holder) {
    throw new StartError(
      `another stack (pid ${holder.pid}) runs on ${dir}: stop it, or choose another folder with --data-dir`,
    );
  }
  try {
    const stopped = await stopOrphans(pidsDir);
    if (stopped.length > 0) log(`stopped what a killed stack had left running: ${stopped.join(', ')}`);
    rmSync(join(runDir, 'stack.json'), { force: true });
    if (isFresh) empty(dir);
    const logDir = join(dir, 'log');
    // What stands in logs is for who runs the stack: files of an older release are for everybody.
    mkdirSync(logDir, { recursive: true, mode: 0o700 });
    chmodSync(logDir, 0o700);
    for (const name of readdirSync(logDir)) if (name.endsWith('.log')) rotateLog(join(logDir, name));
    return {
      path: dir,
      logDir,
      runDir,
      pidsDir,
      credentialKey: rememberedKey(join(dir, 'credential-key')),
      release: () => {
        rmSync(pidsDir, { recursive: true, force: true });
        releaseLock(lock);
      },
    };
  } catch (error) {
    releaseLock(lock);
    throw error;
  }
}

/** Kills the processes of this folder's stack, without waiting: for a forced exit. */
export function killStackOf(path: string): void {
  killRecorded(pidsDirOf(resolve(path)));
}

function pidsDirOf(dir: string): string {
  return join(dir, 'run', 'pids');
}

function empty(dir: string): void {
  const further = readdirSync(dir).filter((name) => furtherRedis.test(name));
  for (const name of [...contents, ...further]) rmSync(join(dir, name), { recursive: true, force: true });
}

function claim(dir: string): void {
  if (existsSync(join(dir, marker))) return;
  try {
    mkdirSync(dir, { recursive: true });
    if (readdirSync(dir).length > 0) {
      throw new StartError(
        `${dir} is not empty and not a data folder of Hooligram: choose another one with --data-dir`,
      );
    }
    writeFileSync(
      join(dir, marker),
      'The data of a local Hooligram stack. `npm start -- --fresh` empties this folder.\n',
    );
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${dir} cannot be a data folder: ${(error as Error).message}`);
  }
}

function rememberedKey(path: string): string {
  if (!existsSync(path)) writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(path, 'utf8').trim();
}
