import { readFileSync, renameSync, statSync } from 'node:fs';

const linesMax = 20;
const keepBytes = 16 * 1024 * 1024;

/** The end of a log, as an appendix to an error; '' when there is none. */
export function logTail(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-linesMax);
    return lines.join('').trim() === ''
      ? ''
      : `\n  the end of ${path}:\n${lines.map((line) => `    ${line}`).join('\n')}`;
  } catch {
    return '';
  }
}

/** Puts a log that has grown large aside, once: the one before that goes. */
export function rotateLog(path: string): void {
  try {
    if (statSync(path).size > keepBytes) renameSync(path, `${path}.1`);
  } catch {
    // No log yet.
  }
}
