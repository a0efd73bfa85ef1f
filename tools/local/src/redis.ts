import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { redisAddress, withoutPasswords } from '@hooligram/service';
import { Redis, type RedisOptions } from 'ioredis';
import { freePort } from './ports.ts';
import { redisProgram } from './redis-program.ts';
import { StartError } from './start-error.ts';
import { type Store, type StoreOptions, startStore } from './store.ts';

/**
 * Starts a Redis in `<dataDir>/redis`, on the loopback address only. It keeps its data over
 * restarts and evicts nothing: there are queues in it.
 * @returns when it has loaded its data and answers
 * @throws StartError
 */
export async function startRedis(options: StoreOptions): Promise<Store> {
  const program = await redisProgram(options.log ?? (() => undefined));
  const folder = resolve(options.dataDir, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const port = await freePort(options.port);
  const url = `redis://127.0.0.1:${port}`;
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  const spec = {
    name: 'redis',
    command: program.path,
    argv0: program.argv0,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    cwd: folder,
    env: process.env,
    logFile: join(options.logDir, 'redis.log'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 20_000,
    detached: true,
  } as const;
  return startStore(spec, url, async () => (await ping(url)) === 'PONG', options);
}

/** @throws StartError when the Redis of that url does not answer */
export async function checkRedis(url: string): Promise<void> {
  try {
    await ping(url);
  } catch (error) {
    const { message } = error as Error;
    throw new StartError(`REDIS_URL: ${withoutPasswords(url)} does not answer: ${message}`);
  }
}

async function ping(url: string): Promise<string> {
  const address = redisAddress(url);
  const options: RedisOptions & { replyMapping: 'legacy' } = {
    replyMapping: 'legacy',
    ...address.options,
    sentinelRetryStrategy: () => null,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    enableReadyCheck: true,
  };
  const client = address.url === undefined ? new Redis(options) : new Redis(address.url, options);
  let cause: Error | undefined;
  client.on('error', (error: Error) => {
    cause = error;
  });
  try {
    await client.connect();
    return await client.ping();
  } catch (error) {
    throw cause ?? error;
  } finally {
    client.disconnect();
  }
}
