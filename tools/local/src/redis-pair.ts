import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { allOrNothing } from './all-or-nothing.ts';
import { freePort } from './ports.ts';
import { askRedis } from './redis-connection.ts';
import { redisProgram } from './redis-program.ts';
import { type RedisSet, type RedisSetOptions, startAll } from './redis-servers.ts';
import { StartError } from './start-error.ts';
import { type Store, startStore } from './store.ts';

/** What the Sentinels call the two. */
const setName = 'hooligram';
const servers = ['redis-pair-1', 'redis-pair-2'] as const;
/** How many Sentinels must find the primary dead. */
const quorum = 2;
/** Longer than a start: one that dies is started again before the Sentinels look for another. */
const downAfterMs = 10_000;
const failoverTimeoutMs = 10_000;
const lookEveryMs = 50;
const readyTimeoutMs = 60_000;

/**
 * Starts a primary, its replica and three Sentinels. The primary is the one that was it when they ended.
 * @returns when the replica has the data, and every Sentinel knows all of them
 * @throws StartError
 */
export async function startRedisPair(options: RedisSetOptions): Promise<RedisSet> {
  const [one = 0, two = 0, ...sentinelPorts] = options.ports;
  const wasSwitched = secondWasPrimary(options.dataDir);
  const stores = await startAll(
    options,
    [one, two].map((port, index) => ({
      name: servers[index] as string,
      port,
      settings: { 'repl-diskless-sync-delay': '0' },
    })),
  );
  const ports = stores.map(({ url }) => Number(new URL(url).port));
  for (const [index, name] of servers.entries()) {
    writeFileSync(portFile(options.dataDir, name), String(ports[index]));
  }
  const [primary = 0, replica = 0] = wasSwitched ? ports.toReversed() : ports;
  await askRedis(replica, (redis) => redis.replicaof('127.0.0.1', primary));
  const sentinels = await startSentinels(options, sentinelPorts, primary);
  await whenWhole(ports, sentinels, options.signal);
  const hosts = sentinels.map((port) => `127.0.0.1:${port}`);
  return { url: `redis+sentinel://${hosts.join(',')}/?name=${setName}`, stores };
}

/** A Sentinel writes down where the primary is, and each Redis has a note of where it was. */
function secondWasPrimary(dataDir: string): boolean {
  const [config, port] = [configFile(dataDir, sentinelName(0)), portFile(dataDir, servers[1])];
  if (!existsSync(config) || !existsSync(port)) return false;
  const [, primary] = /^sentinel monitor \S+ \S+ (\d+) /m.exec(readFileSync(config, 'utf8')) ?? [];
  return primary === readFileSync(port, 'utf8');
}

const sentinelName = (index: number) => `redis-sentinel-${index + 1}`;
const configFile = (dataDir: string, name: string) => join(dataDir, name, 'sentinel.conf');
const portFile = (dataDir: string, name: string) => join(dataDir, name, 'port');

/** @returns their ports */
async function startSentinels(
  options: RedisSetOptions,
  preferred: readonly number[],
  primary: number,
): Promise<readonly number[]> {
  const starts = preferred.map((wanted, index) => async (signal: AbortSignal) => {
    const port = await freePort(wanted);
    const store = await startSentinel(options, sentinelName(index), port, primary, signal);
    options.close(store.stop);
    return port;
  });
  return allOrNothing(options.signal, ...starts);
}

/** The program is the server's: Debian's redis-sentinel is another name of it. */
async function startSentinel(
  { dataDir, logDir, log, onPid }: RedisSetOptions,
  name: string,
  port: number,
  primary: number,
  signal: AbortSignal,
): Promise<Store> {
  const { path, argv0 } = await redisProgram(log);
  const folder = join(dataDir, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = configFile(dataDir, name);
  // Written at each start of the stack, and from then on by the Sentinel itself: ports may be others now.
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${setName} 127.0.0.1 ${primary} ${quorum}`,
    `sentinel down-after-milliseconds ${setName} ${downAfterMs}`,
    `sentinel failover-timeout ${setName} ${failoverTimeoutMs}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  const spec = {
    name,
    command: path,
    argv0,
    args: [config, '--sentinel'],
    cwd: folder,
    env: process.env,
    logFile: join(logDir, `${name}.log`),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    detached: true,
  } as const;
  const isReady = async () => (await askRedis(port, (redis) => redis.ping())) === 'PONG';
  const options = { dataDir, logDir, port, log, signal, onPid: onPid(name) };
  return startStore(spec, `redis://127.0.0.1:${port}`, isReady, options);
}

/** Whichever of the two is the primary: on a machine without time the Sentinels may have chosen the other one. */
async function whenWhole(
  ports: readonly number[],
  sentinels: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const info = (port: number, section: string) =>
    askRedis(port, (redis) => redis.info(section)).catch(() => '');
  const known = (primary: number) =>
    `status=ok,address=127.0.0.1:${primary},slaves=1,sentinels=${sentinels.length}`;
  const isWhole = async () => {
    const seen = await Promise.all(sentinels.map((port) => info(port, 'sentinel')));
    const primary = ports.find((port) => seen.every((text) => text.includes(known(port))));
    const replica = ports.find((port) => port !== primary);
    if (primary === undefined || replica === undefined) return false;
    const replication = await info(replica, 'replication');
    return replication.includes(`master_port:${primary}`) && replication.includes('master_link_status:up');
  };
  const givesUpAt = Date.now() + readyTimeoutMs;
  while (!(await isWhole())) {
    if (Date.now() > givesUpAt)
      throw new StartError(
        `Redis and its Sentinels do not find each other after ${readyTimeoutMs / 1_000} s: see redis-*.log`,
      );
    await pause(lookEveryMs, undefined, { signal });
  }
}
