import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { recordProcess, stopOrphans } from '@hooligram/local';
import { SentinelSet } from '@hooligram/testkit/sentinels';

/** A Redis that is silent for so long is dead. Less, and a busy machine has failovers that nobody asked for. */
const downAfterMs = 2_000;

/**
 * Two Redis and three Sentinels, for one run. Their files are beside its data folder, which the launcher empties; what an
 * earlier run left running is stopped first.
 */
export async function startSentinels(dataDir: string): Promise<SentinelSet> {
  const folder = `${resolve(dataDir)}-sentinel`;
  const pids = join(folder, 'pids');
  await stopOrphans(pids);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return SentinelSet.start({
    folder,
    logDir: join(folder, 'log'),
    sentinels: 3,
    downAfterMs,
    onPid: (pid) => recordProcess(pids, String(pid), pid, 'SIGTERM'),
  });
}
