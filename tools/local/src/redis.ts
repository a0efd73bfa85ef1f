import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { redisAddresses, withoutPasswords } from '@hooligram/service';
import { freePort } from './ports.ts';
import { ping } from './redis-connection.ts';
import { redisProgram } from './redis-program.ts';
import { StartError } from './start-error.ts';
import { type Store, type StoreOptions, startStore } from './store.ts';

type Options = StoreOptions & {
  /** Of the process, its log and its folder. Default redis. */
  readonly name?: string;
  /** What redis.conf would say besides, or instead. */
  readonly settings?: Readonly<Record<string, string>>;
};

/**
 * Starts a Redis in `<dataDir>/<name>`, on the loopback address only. It keeps its data over
 * restarts and evicts nothing: there are queues in it.
 * @returns when it has loaded its data and answers
 * @throws StartError
 */
export async function startRedis({ name = 'redis', settings = {}, ...options }: Options): Promise<Store> {
  const program = await redisProgram(options.log ?? (() => undefined));
  const folder = resolve(options.dataDir, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const port = await freePort(options.port);
  const url = `redis://127.0.0.1:${port}`;
  const all = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...settings,
  };
  const spec = {
    name,
    command: program.path,
    argv0: program.argv0,
    args: Object.entries(all).flatMap(([setting, value]) => [`--${setting}`, String(value)]),
    cwd: folder,
    env: process.env,
    logFile: join(options.logDir, `${name}.log`),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 20_000,
    detached: true,
  } as const;
  return startStore(spec, url, async () => (await ping(url)) === 'PONG', options);
}

/**
 * @param caFile certificates by which a server with TLS is known, in place of the system's
 * @throws StartError when a Redis of that url does not answer
 */
export async function checkRedis(url: string, caFile?: string): Promise<void> {
  for (const address of redisAddresses(url)) {
    try {
      await ping(address, caFile);
    } catch (error) {
      const { message } = error as Error;
      throw new StartError(`REDIS_URL: ${withoutPasswords(address)} does not answer: ${message}`);
    }
  }
}
