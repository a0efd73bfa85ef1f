import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess, recordProcess, redisProgram, type Store, startRedis } from '@hooligram/local';
import { Redis } from 'ioredis';
import { freePorts } from './free-ports.ts';
import { until } from './patience.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

/** How a Sentinel calls them. */
const name = 'hooligram';

/** A primary, a replica and a Sentinel that watches both, for a test that has them to itself. */
export type OwnSentinel = {
  /** For REDIS_URL: first a Sentinel that does not exist, then the one that does. */
  readonly url: string;
  /** The one that is the primary now, as the Sentinel says. */
  primary(): Promise<Store>;
  /** Has the Sentinel make the replica the primary, and the primary a replica. Resolves when it has. */
  failOver(): Promise<void>;
  /** Kills the primary. Resolves when the Sentinel has made the replica the primary. */
  killPrimary(): Promise<void>;
  stop(): Promise<void>;
};

export async function ownSentinel(): Promise<OwnSentinel> {
  const folder = mkdtempSync(join(testRunDir(), 'own-sentinel-'));
  const [one = 0, two = 0, port = 0, nobody = 0] = await freePorts(4);
  const start = (own: string, at: number) =>
    startRedis({
      dataDir: join(folder, own),
      logDir: logDir(),
      port: at,
      restart: false,
      onPid: (pid) => recordProcess(pidsDir(), `own-redis-${pid}`, pid, 'SIGTERM'),
    });
  const redises = await Promise.all([start('one', one), start('two', two)]);
  const [first, second] = redises;
  await ask(second.url, (redis) => redis.replicaof('127.0.0.1', one));
  await until('the replica has the data', () =>
    ask(second.url, async (redis) => (await redis.info('replication')).includes('master_link_status:up')),
  );
  const sentinel = await startSentinel(folder, port, one);
  const sentinelUrl = `redis://127.0.0.1:${port}`;
  const primaryPort = () =>
    ask(sentinelUrl, async (redis) => {
      const address = (await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[] | null;
      return Number(address?.[1] ?? 0);
    });
  await until('the Sentinel knows the replica', () =>
    ask(
      sentinelUrl,
      async (redis) => ((await redis.call('SENTINEL', 'REPLICAS', name)) as unknown[]).length > 0,
    ),
  );
  const primary = async () => ((await primaryPort()) === one ? first : second);
  const untilSwitched = (from: number) =>
    until('the Sentinel has chosen the other one', async () => (await primaryPort()) !== from);
  return {
    url: `redis+sentinel://127.0.0.1:${nobody},127.0.0.1:${port}/?name=${name}`,
    primary,
    async failOver() {
      const before = await primaryPort();
      await ask(sentinelUrl, (redis) => redis.call('SENTINEL', 'FAILOVER', name));
      await untilSwitched(before);
    },
    async killPrimary() {
      const before = await primaryPort();
      const { pid } = await primary();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await untilSwitched(before);
    },
    async stop() {
      await sentinel.stop();
      await Promise.all(redises.map((redis) => redis.stop()));
    },
  };
}

async function startSentinel(folder: string, port: number, primaryPort: number): Promise<RunningProcess> {
  const config = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} 1`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 3000`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const { path, argv0 } = await redisProgram(() => undefined);
  const running = await RunningProcess.start({
    name: 'sentinel',
    command: path,
    argv0,
    args: [config, '--sentinel'],
    env: process.env,
    logFile: join(logDir(), `sentinel-${port}.log`),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    detached: true,
  });
  recordProcess(pidsDir(), `own-sentinel-${running.pid}`, running.pid, 'SIGTERM');
  await until('the Sentinel answers', () =>
    ask(`redis://127.0.0.1:${port}`, (redis) => redis.ping()).catch(() => false),
  );
  return running;
}

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
