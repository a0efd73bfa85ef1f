import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, markOf, type ProcessMark } from './process-identity.ts';

const suffix = '.pid.json';
const stopTimeoutMs = 10_000;

type ProcessRecord = ProcessMark & { readonly signal: NodeJS.Signals };

/**
 * Notes a process in a folder, so that a later run finds it if this one is killed before it can stop it.
 * @param signal what stops it then
 */
export function recordProcess(dir: string, name: string, pid: number, signal: NodeJS.Signals): void {
  mkdirSync(dir, { recursive: true });
  const record: ProcessRecord = { ...markOf(pid), signal };
  writeFileSync(join(dir, name + suffix), JSON.stringify(record));
}

export function forgetProcess(dir: string, name: string): void {
  rmSync(join(dir, name + suffix), { force: true });
}

/**
 * Stops every recorded process that still runs. A later process that was given the pid of a recorded one is left alone.
 * @returns the names of those that ran
 */
export async function stopOrphans(dir: string): Promise<string[]> {
  const records = readRecords(dir).filter(([, record]) => isRunning(record));
  for (const [, { pid, signal }] of records) send(pid, signal);
  const deadline = Date.now() + stopTimeoutMs;
  while (records.some(([, record]) => isRunning(record)) && Date.now() < deadline) await pause(20);
  killRecorded(dir);
  return records.map(([name]) => name);
}

/** The same by SIGKILL and without waiting: for a process that was told to end at once. */
export function killRecorded(dir: string): void {
  for (const [name, record] of readRecords(dir)) {
    if (isRunning(record)) send(record.pid, 'SIGKILL');
    forgetProcess(dir, name);
  }
}

function readRecords(dir: string): [name: string, record: ProcessRecord][] {
  let files: string[];
  try {
    files = readdirSync(dir).filter((file) => file.endsWith(suffix));
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    try {
      const record = JSON.parse(readFileSync(join(dir, file), 'utf8')) as ProcessRecord;
      return [[file.slice(0, -suffix.length), record]];
    } catch {
      rmSync(join(dir, file), { force: true });
      return [];
    }
  });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime.
  }
}
