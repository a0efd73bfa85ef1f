import { lstatSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLock } from '../../../local/src/lock.ts';
// By path: jest loads this file without the export condition that leads to sources, and nothing may have
// been built yet. These files need only Node.
import { killRecorded, stopOrphans } from '../../../local/src/orphans.ts';
import { firstPortOf, slotPorts, slots } from '../slots.ts';

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
  process.env.HOOLIGRAM_TEST_SLOT = String(await claimSlot());
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
      // Another user's would have this run end and overwrite what they name.
      if (lstatSync(dir).uid !== process.getuid?.()) continue;
      // Ours by the lock: a run that lives holds it.
      if (acquireLock(join(dir, 'run.lock'))) continue;
      await stopOrphans(join(dir, 'pids'));
      rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    } catch {
      // Its run has just ended, another one sweeps it, or it is another user's: this run needs nothing of it.
    }
  }
}

/** A file would tell nothing to the run of another user, or of one in a root of its own: they meet in the ports. */
async function claimSlot(): Promise<number> {
  for (let slot = 0; slot < slots; slot += 1) {
    if (await hold(firstPortOf(slot) + slotPorts - 1)) return slot;
  }
  throw new Error(`${slots} test runs at once on this machine: no ports left for another one`);
}

/** Takes a port until this process ends, however it ends. @returns whether it could be had */
function hold(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.unref();
      resolve(true);
    });
  });
}
