import { closeSync, openSync, readFileSync } from 'node:fs';

/** @returns how many files this process may have open; infinite if that is not limited, or cannot be told */
export function readOpenFilesMax(): number {
  const soft = readProcLimit() ?? readReportedLimit();
  return soft === undefined || Number.isNaN(soft) ? Number.POSITIVE_INFINITY : soft;
}

/** Opened files that are kept so that there is something to close when no file can be opened any more. */
export class FileReserve {
  readonly #size: number;
  #files: number[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** Takes what it can get. */
  take(): void {
    try {
      while (this.#files.length < this.#size) this.#files.push(openSync('/dev/null', 'r'));
    } catch {
      // The next time.
    }
  }

  release(): void {
    for (const file of this.#files.splice(0)) closeSync(file);
  }
}

function readProcLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

function readReportedLimit(): number | undefined {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return soft === undefined ? undefined : Number(soft);
}
