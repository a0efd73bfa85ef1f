import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock } from '../../../local/src/lock.ts';
// By path: jest loads this file without the export condition that leads to sources, and nothing may have
// been built yet. Both files need only Node.
import { killRecorded, stopOrphans } from '../../../local/src/orphans.ts';

const slots = 11;

/**
 * Prepares a test run: a folder for all that it starts, and a range of ports that no other run on this
 * machine uses. Postgres and Redis start when the first test asks for them (stores.ts): a run of unit tests
 * needs neither.
 */
// biome-ignore lint/style/noDefaultExport: jest asks for one
export default async function globalSetup(): Promise<void> {
  await sweep();
  const dir = makeRunDir();
  process.env.HOOLIGRAM_TEST_RUN = dir;
  // A run in a root of its own cannot see the locks of the others, and is given its range.
  process.env.HOOLIGRAM_TEST_SLOT ||= String(claimSlot());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      killRecorded(join(dir, 'pids'));
      rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      process.exit(130);
    });
  }
}

/** It gets its name when its lock is in it: without one, another run would sweep it away. */
function makeRunDir(): string {
  const unnamed = mkdtempSync(join(tmpdir(), 'hooligram-new-'));
  acquireLock(join(unnamed, 'run.lock'));
  const dir = unnamed.replace('hooligram-new-', 'hooligram-test-');
  renameSync(unnamed, dir);
  return dir;
}

/** What a run left behind that was killed. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith('hooligram-test-'))) {
    const dir = join(tmpdir(), name);
    try {
      // Ours by the lock: a run that lives holds it.
      if (acquireLock(join(dir, 'run.lock'))) continue;
      await stopOrphans(join(dir, 'pids'));
      rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    } catch {
      // Its run has just ended, another one sweeps it, or it is another user's: this run needs nothing of it.
    }
  }
}

function claimSlot(): number {
  const dir = join(tmpdir(), 'hooligram-test.slots');
  mkdirSync(dir, { recursive: true });
  for (let slot = 0; slot < slots; slot += 1) {
    if (!acquireLock(join(dir, `${slot}.lock`))) return slot;
  }
  throw new Error(`${slots} test runs at once on this machine: no ports left for another one`);
}
