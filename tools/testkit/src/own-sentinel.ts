import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { recordProcess } from '@hooligram/local';
import { makeCertificate } from './certificates.ts';
import { SentinelSet } from './sentinels/index.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

/**
 * A primary, a replica and a Sentinel that watches both, for a test that has them to itself.
 * @param overTls whether they are reached so, by a certificate of their own
 */
export async function ownSentinel({ overTls = false } = {}): Promise<SentinelSet> {
  const folder = mkdtempSync(join(testRunDir(), 'own-sentinel-'));
  return SentinelSet.start({
    folder,
    logDir: logDir(),
    tls: overTls ? await makeCertificate(folder, 'sentinel') : undefined,
    sentinels: 1,
    downAfterMs: 1_000,
    onPid: (pid) => recordProcess(pidsDir(), `own-sentinel-${pid}`, pid, 'SIGTERM'),
  });
}
