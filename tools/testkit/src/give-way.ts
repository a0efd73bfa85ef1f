import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** The lowest there is. */
const lowest = 19;

/**
 * Lets this process run only on what all others leave of the CPUs: what it plays, strangers and their telephones, has
 * processors of its own in earnest. Linux may give each session an equal share of the CPUs, and compare priorities
 * within a session only (`kernel.sched_autogroup_enabled`); so the process has to be started `detached`, in a session of
 * its own, whose priority is lowered, too.
 *
 * A priority alone is a small share, and since EEVDF (Linux 6.6) a process that has begun its slice of some milliseconds
 * finishes it while a server has just been woken. What runs under SCHED_IDLE is interrupted at once. Node cannot ask for
 * that; util-linux can, where it is installed.
 */
export function giveWay(): void {
  setPriority(lowest);
  try {
    writeFileSync('/proc/self/autogroup', String(lowest));
  } catch {
    // A system without such groups.
  }
  // Of all threads: those that collect garbage have begun already. Without the command the priority has to do.
  spawnSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(process.pid)], { stdio: 'ignore' });
}
