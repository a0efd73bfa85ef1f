import { readdirSync, statSync } from 'node:fs';

/** Files that this process has open, on Linux; on macOS the other one. */
const folders = ['/proc/self/fd', '/dev/fd'];

/** @returns how many files this process has open; undefined if that cannot be told, infinite if none has room */
export function countOpenFiles(): number | undefined {
  for (const folder of folders) {
    try {
      // Linux 6.2 and newer say it at once. Before, the folder has to be read, and is one of the open files then.
      return statSync(folder).size || readdirSync(folder).length - 1;
    } catch (error) {
      if (isOutOfFiles(error)) return Number.POSITIVE_INFINITY;
    }
  }
  return undefined;
}

function isOutOfFiles(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');
}
