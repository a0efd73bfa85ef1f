import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { recordProcess } from '@hooligram/local';
import { makeCertificate } from './certificates.ts';
import { RedisCluster } from './clusters/index.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

/**
 * A Redis Cluster for a test that has it to itself.
 * @param overTls whether it is reached so, by a certificate of its own
 */
export async function ownCluster({ overTls = false } = {}): Promise<RedisCluster> {
  const folder = mkdtempSync(join(testRunDir(), 'own-cluster-'));
  return RedisCluster.start({
    folder,
    logDir: logDir(),
    tls: overTls ? await makeCertificate(folder, 'cluster') : undefined,
    // One that gets no CPU for that long would be failed over with nobody asking.
    nodeTimeoutMs: 10_000,
    onPid: (pid) => recordProcess(pidsDir(), `own-cluster-${pid}`, pid, 'SIGTERM'),
  });
}
