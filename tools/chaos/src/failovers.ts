import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { recordProcess, stopOrphans } from '@hooligram/local';
import { RedisCluster } from '@hooligram/testkit/clusters';
import { SentinelSet } from '@hooligram/testkit/sentinels';
import type { RedisForm } from './redis-forms.ts';

/** A Redis that is silent for so long is dead. Less, and a busy machine has failovers that nobody asked for. */
const downAfterMs = 2_000;
const masters = 3;

/** A Redis with a replica that takes over, or a cluster of several, of which one is meant at a time. */
export type Failovers = Pick<
  SentinelSet,
  'url' | 'primary' | 'failOver' | 'killPrimary' | 'freezePrimary' | 'revive' | 'whole' | 'stop'
>;

/**
 * Starts what one run has for a Redis, if the launcher does not. Its files are beside the run's data folder, which the
 * launcher empties; what an earlier run left running is stopped first.
 */
export async function startFailovers(form: RedisForm, dataDir: string): Promise<Failovers | undefined> {
  if (form !== 'sentinel' && form !== 'cluster') return undefined;
  const folder = `${resolve(dataDir)}-${form}`;
  const pids = join(folder, 'pids');
  await stopOrphans(pids);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = {
    folder,
    logDir: join(folder, 'log'),
    onPid: (pid: number) => recordProcess(pids, String(pid), pid, 'SIGTERM'),
  };
  return form === 'sentinel'
    ? SentinelSet.start({ ...options, sentinels: 3, downAfterMs })
    : new OneMasterAtATime(await RedisCluster.start({ ...options, nodeTimeoutMs: downAfterMs }));
}

/** The masters of a cluster take turns: the next one is meant from `whole` on. */
class OneMasterAtATime implements Failovers {
  readonly #cluster: RedisCluster;
  #third = 0;

  constructor(cluster: RedisCluster) {
    this.#cluster = cluster;
  }

  get url(): string {
    return this.#cluster.url;
  }

  async whole(): Promise<void> {
    this.#third = (this.#third + 1) % masters;
    await this.#cluster.whole();
  }

  primary(): ReturnType<RedisCluster['master']> {
    return this.#cluster.master(this.#third);
  }

  failOver(): Promise<void> {
    return this.#cluster.failOver(this.#third);
  }

  killPrimary(): Promise<void> {
    return this.#cluster.killMaster(this.#third);
  }

  freezePrimary(): Promise<void> {
    return this.#cluster.freezeMaster(this.#third);
  }

  revive(): Promise<void> {
    return this.#cluster.revive();
  }

  stop(): Promise<void> {
    return this.#cluster.stop();
  }
}
