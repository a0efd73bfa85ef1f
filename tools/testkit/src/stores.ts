import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  acquireLock,
  onPostgres,
  recordProcess,
  releaseLock,
  startPostgres,
  startRedis,
} from '@hooligram/local';
import { Redis } from 'ioredis';
import { freePorts } from './free-ports.ts';
import { patienceMs, startPatienceMs } from './patience.ts';
import type { RedisSet } from './redis-sets.ts';
import { logDir, pidsDir, testRunDir } from './test-run.ts';

const templateDatabase = 'hooligram_template';
/** Several systems run at once on one Postgres, and nobody counts what all of them take at a busy moment. */
const connectionsMax = 500;

type Stores = {
  /** The url of the database `postgres`: for making and dropping others. */
  readonly adminUrl: string;
  readonly redisUrl: string;
};

let known: Stores | undefined;

/** The Postgres and the Redis of this test run. The first worker that asks starts them; the others wait. */
async function stores(): Promise<Stores> {
  if (known) return known;
  const file = join(testRunDir(), 'stores.json');
  const failure = join(testRunDir(), 'stores.failed');
  const lock = join(testRunDir(), 'stores.lock');
  const deadline = Date.now() + startPatienceMs;
  for (;;) {
    if (existsSync(failure))
      throw new Error(`the test stores did not start: ${readFileSync(failure, 'utf8')}`);
    if (!existsSync(file) && !acquireLock(lock)) {
      try {
        if (!existsSync(file)) writeWhole(file, JSON.stringify(await startStores()));
      } catch (error) {
        writeWhole(failure, (error as Error).stack ?? String(error));
        throw error;
      } finally {
        releaseLock(lock);
      }
    }
    if (existsSync(file)) {
      known = JSON.parse(readFileSync(file, 'utf8')) as Stores;
      return known;
    }
    if (Date.now() > deadline) {
      throw new Error(`the test stores did not start within ${startPatienceMs / 1000} s`);
    }
    await pause(25);
  }
}

async function startStores(): Promise<Stores> {
  const [postgresPort = 0, redisPort = 0] = await freePorts(2);
  const options = (name: string, port: number, signal: NodeJS.Signals) => ({
    dataDir: testRunDir(),
    logDir: logDir(),
    port,
    restart: false,
    onPid: (pid: number) => recordProcess(pidsDir(), name, pid, signal),
  });
  const [postgres, redis] = await Promise.all([
    startPostgres({ ...options('postgres', postgresPort, 'SIGQUIT'), durable: false, connectionsMax }),
    startRedis(options('redis', redisPort, 'SIGTERM')),
  ]);
  await refuseWhatOthersFeel(redis.url);
  const adminUrl = urlOf(postgres.url, 'postgres');
  // Here and not above: only the test that starts the stores needs Prisma's client for it.
  const { migrate } = await import('@hooligram/db');
  await migrate({ url: urlOf(adminUrl, templateDatabase) });
  return { adminUrl, redisUrl: redis.url };
}

/** A test that wants to break or empty a Redis starts one of its own: the tests beside it would lose their connections. */
async function refuseWhatOthersFeel(url: string): Promise<void> {
  const commands = ['flushall', 'flushdb', 'client|kill', 'client|pause', 'config|set', 'debug', 'shutdown'];
  const redis = new Redis(url);
  await redis.acl('SETUSER', 'default', ...commands.map((command) => `-${command}`));
  redis.disconnect();
}

/**
 * A database of its own with all migrations applied, cloned from a template.
 * @returns its url; it goes with the run, or earlier by dropDatabase
 */
export function freshDatabase(): Promise<string> {
  return createDatabase(`TEMPLATE ${templateDatabase}`);
}

export function emptyDatabase(): Promise<string> {
  return createDatabase();
}

async function createDatabase(options = ''): Promise<string> {
  const { adminUrl } = await stores();
  const name = `test_${uniqueWord()}`;
  await onPostgres(adminUrl, (client) => client.query(`CREATE DATABASE ${name} ${options}`), patienceMs);
  return urlOf(adminUrl, name);
}

/** Drops what freshDatabase or emptyDatabase made, also under the connections that it may still have. */
export async function dropDatabase(url: string): Promise<void> {
  const { adminUrl } = await stores();
  const name = new URL(url).pathname.slice(1);
  const drop = `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`;
  await onPostgres(adminUrl, (client) => client.query(drop), patienceMs);
}

/** The Redis that all tests share: keep to a prefix of your own. Or what `useRedisSet` was called with. */
export async function redisUrl(): Promise<string> {
  return own === undefined ? (await stores()).redisUrl : (await own()).url;
}

let own: (() => Promise<RedisSet>) | undefined;

/**
 * From now on this test file has a Redis of its own.
 * @param start is called when it is needed for the first time
 * @returns it, started if it was not
 */
export function useRedisSet(start: () => Promise<RedisSet>): () => Promise<RedisSet> {
  let started: Promise<RedisSet> | undefined;
  own = () => {
    started ??= start();
    return started;
  };
  return own;
}

/** A prefix of a test's own for names in Redis. */
export function freshPrefix(): string {
  return `test-${uniqueWord()}`;
}

let words = 0;

function uniqueWord(): string {
  words += 1;
  return `${process.pid.toString(36)}_${Date.now().toString(36)}_${words}`;
}

function urlOf(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
