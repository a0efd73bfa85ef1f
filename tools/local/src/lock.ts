import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isRunning, markOf, type ProcessMark } from './process-identity.ts';

/**
 * Takes a lock file for this process. A lock whose holder has ended, also by SIGKILL, is free at once; proper-lockfile
 * would free it after a timeout, and not name the holder.
 * @returns undefined when this process has it now, else the process that holds it
 */
export function acquireLock(path: string): ProcessMark | undefined {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(markOf(process.pid)), { mode: 0o600 });
  try {
    for (;;) {
      try {
        // A link appears with its whole content or not at all, and fails when the name exists.
        linkSync(mine, path);
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readHolder(path);
      if (holder && isRunning(holder)) return holder;
      removeStale(path);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

export function releaseLock(path: string): void {
  if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true });
}

/** Another process may have removed it and taken the lock meanwhile: that lock is put back. */
function removeStale(path: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    const holder = readHolder(aside);
    if (holder && isRunning(holder)) linkSync(aside, path);
  } catch {
    // Gone already, or taken already.
  }
  rmSync(aside, { force: true });
}

function readHolder(path: string): ProcessMark | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessMark;
  } catch {
    return undefined;
  }
}
