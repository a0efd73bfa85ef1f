import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordProcess } from '@hooligram/local';
import { makeCertificate } from './certificates.ts';
import { RedisCluster } from './clusters/index.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

/**
 * A Redis Cluster for a test that has it to itself.
 * @param overTls whether it is reached so, by a certificate of its own
 * @param users lines of an aclfile, for each node. Default: none but `default`, who may do everything
 */
export async function ownCluster({
  overTls = false,
  users,
}: {
  overTls?: boolean;
  users?: string;
} = {}): Promise<RedisCluster> {
  const folder = mkdtempSync(join(testRunDir(), 'own-cluster-'));
  const aclFile = users === undefined ? undefined : join(folder, 'users.acl');
  if (aclFile !== undefined) writeFileSync(aclFile, `user default on nopass ~* &* +@all\n${users}`);
  return RedisCluster.start({
    folder,
    logDir: logDir(),
    tls: overTls ? await makeCertificate(folder, 'cluster') : undefined,
    aclFile,
    // One that gets no CPU for that long would be failed over with nobody asking.
    nodeTimeoutMs: 10_000,
    onPid: (pid) => recordProcess(pidsDir(), `own-cluster-${pid}`, pid, 'SIGTERM'),
  });
}
