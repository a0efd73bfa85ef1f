import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** The lowest there is. */
const lowest = 19;

/**
 * Lets this process run only on what all others leave of the CPUs: what it plays, strangers and their telephones, has
 * processors of its own in earnest. Linux may give each session an equal share of the CPUs, and compare priorities
 * within a session only (`kernel.sched_autogroup_enabled`); so the process has to be started `detached`, in a session of
 * its own, whose priority is lowered, too.
 */
export function giveWay(): void {
  setPriority(lowest);
  try {
    writeFileSync('/proc/self/autogroup', String(lowest));
  } catch {
    // A system without such groups.
  }
}
