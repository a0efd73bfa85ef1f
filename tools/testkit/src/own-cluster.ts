import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { recordProcess } from '@hooligram/local';
import { RedisCluster } from './clusters/index.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

/** A Redis Cluster for a test that has it to itself. */
export function ownCluster(): Promise<RedisCluster> {
  return RedisCluster.start({
    folder: mkdtempSync(join(testRunDir(), 'own-cluster-')),
    logDir: logDir(),
    // One that gets no CPU for that long would be failed over with nobody asking.
    nodeTimeoutMs: 10_000,
    onPid: (pid) => recordProcess(pidsDir(), `own-cluster-${pid}`, pid, 'SIGTERM'),
  });
}
