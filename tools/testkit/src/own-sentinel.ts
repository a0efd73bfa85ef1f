import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { recordProcess } from '@hooligram/local';
import { SentinelSet } from './sentinels/index.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

/** A primary, a replica and a Sentinel that watches both, for a test that has them to itself. */
export function ownSentinel(): Promise<SentinelSet> {
  return SentinelSet.start({
    folder: mkdtempSync(join(testRunDir(), 'own-sentinel-')),
    logDir: logDir(),
    sentinels: 1,
    downAfterMs: 1_000,
    onPid: (pid) => recordProcess(pidsDir(), `own-sentinel-${pid}`, pid, 'SIGTERM'),
  });
}
