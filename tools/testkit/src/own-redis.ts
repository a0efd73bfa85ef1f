import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { recordProcess, type Store, startRedis } from '@hooligram/local';
import { freePorts } from './free-ports.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

/** A Redis for a test that has it to itself. */
export type OwnRedis = {
  readonly url: string;
  /** Kills it; it keeps its data. Resolves when it has ended. */
  kill(): Promise<void>;
  /** Starts it again, at its address and with its data. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

export async function ownRedis(): Promise<OwnRedis> {
  const dataDir = mkdtempSync(join(testRunDir(), 'own-redis-'));
  const [port = 0] = await freePorts(1);
  const run = (): Promise<Store> =>
    startRedis({
      dataDir,
      logDir: logDir(),
      port,
      restart: false,
      onPid: (pid) => recordProcess(pidsDir(), `own-redis-${pid}`, pid, 'SIGTERM'),
    });
  let running = await run();
  return {
    url: running.url,
    async kill() {
      if (running.pid !== undefined) process.kill(running.pid, 'SIGKILL');
      await running.stop();
    },
    async start() {
      running = await run();
    },
    stop: () => running.stop(),
  };
}
