import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process as a file records it: a later process with the same pid differs. */
export type ProcessMark = {
  readonly pid: number;
  readonly identity: string | undefined;
  /** On Linux the start of a process is counted from the boot, so the record names the boot. */
  readonly boot?: string | undefined;
};

export function markOf(pid: number): ProcessMark {
  return { pid, identity: processIdentity(pid), boot: bootId() };
}

/** Whether this process still runs. A later one with its pid does not count. */
export function isRunning({ pid, identity, boot = bootId() }: ProcessMark): boolean {
  return identity !== undefined && boot === bootId() && processIdentity(pid) === identity;
}

/**
 * When a process started: this tells it from a later one that got the same pid.
 * Undefined when there is no such process, or only its zombie.
 */
export function processIdentity(pid: number): string | undefined {
  if (process.platform !== 'linux') return psField(pid, 'lstart');
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command stands in parentheses and may hold anything; the fields after it are numbered from 3.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The command line of a process; '' when it has ended. */
export function commandLine(pid: number): string {
  if (process.platform !== 'linux') return psField(pid, 'command') ?? '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function psField(pid: number, field: string): string | undefined {
  try {
    return (
      execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
