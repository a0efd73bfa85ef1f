import { allOrNothing } from './all-or-nothing.ts';
import { checkPostgres, startPostgres } from './postgres.ts';
import { checkRedis } from './redis.ts';
import type { RedisSet } from './redis-servers.ts';
import { startRedisSet } from './redis-set.ts';
import { pidKeeper, type StackRun } from './stack-run.ts';
import type { Store } from './store.ts';

// Of a core's pool, and for the rest: migrations, and a user with psql.
const connectionsPerCore = 12;
const connectionsBesides = 88;

/**
 * The Postgres of DATABASE_URL and the Redis of REDIS_URL; a store whose variable is not set is started here.
 * @throws StartError
 */
export async function provideStores(run: StackRun): Promise<{ postgres: Store; redis: RedisSet }> {
  const close = run.closing.stage();
  const [postgres, redis] = await allOrNothing(
    run.signal,
    (signal) => providePostgres(run, close, signal),
    (signal) => provideRedis(run, close, signal),
  );
  return { postgres, redis };
}

type Close = (stop: () => Promise<void>) => void;

async function providePostgres(run: StackRun, close: Close, signal: AbortSignal): Promise<Store> {
  const { DATABASE_URL } = process.env;
  if (DATABASE_URL) {
    await checkPostgres(DATABASE_URL);
    return { pid: undefined, url: DATABASE_URL, stop: async () => undefined };
  }
  const { layout, dataDir, progress } = run;
  const store = await startPostgres({
    dataDir: dataDir.path,
    logDir: dataDir.logDir,
    log: progress.line,
    signal,
    port: layout.postgresPort,
    connectionsMax: connectionsBesides + connectionsPerCore * layout.cores.length,
    onPid: pidKeeper(run, 'postgres', 'SIGINT'),
  });
  close(store.stop);
  return store;
}

async function provideRedis(run: StackRun, close: Close, signal: AbortSignal): Promise<RedisSet> {
  const { REDIS_URL, REDIS_CA_FILE } = process.env;
  if (REDIS_URL) {
    await checkRedis(REDIS_URL, REDIS_CA_FILE);
    return { url: REDIS_URL, stores: [] };
  }
  const { layout, dataDir, progress } = run;
  return startRedisSet(layout.redisForm, {
    dataDir: dataDir.path,
    logDir: dataDir.logDir,
    log: progress.line,
    signal,
    ports: layout.redisPorts,
    onPid: (name) => pidKeeper(run, name, 'SIGTERM'),
    close,
  });
}
