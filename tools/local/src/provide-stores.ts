import { allOrNothing } from './all-or-nothing.ts';
import { checkPostgres, startPostgres } from './postgres.ts';
import { checkRedis, startRedis } from './redis.ts';
import { pidKeeper, type StackRun } from './stack-run.ts';
import type { Store } from './store.ts';

export type Stores = {
  readonly postgres: Store;
  readonly redis: Store;
};

// Of a core's pool, and for the rest: migrations, and a user with psql.
const connectionsPerCore = 12;
const connectionsBesides = 88;

/**
 * The Postgres of DATABASE_URL and the Redis of REDIS_URL; a store whose variable is not set is started here.
 * @throws StartError
 */
export async function provideStores(run: StackRun): Promise<Stores> {
  const close = run.closing.stage();
  const kept = async (provided: Promise<Store>) => {
    const store = await provided;
    close(store.stop);
    return store;
  };
  const [postgres, redis] = await allOrNothing(
    run.signal,
    (signal) => kept(providePostgres(run, signal)),
    (signal) => kept(provideRedis(run, signal)),
  );
  return { postgres, redis };
}

async function providePostgres(run: StackRun, signal: AbortSignal): Promise<Store> {
  const url = process.env.DATABASE_URL;
  if (url) {
    await checkPostgres(url);
    return external(url);
  }
  return startPostgres({
    ...options(run, signal),
    port: run.layout.postgresPort,
    connectionsMax: connectionsBesides + connectionsPerCore * run.layout.cores.length,
    onPid: pidKeeper(run, 'postgres', 'SIGINT'),
  });
}

async function provideRedis(run: StackRun, signal: AbortSignal): Promise<Store> {
  const url = process.env.REDIS_URL;
  if (url) {
    await checkRedis(url);
    return external(url);
  }
  return startRedis({
    ...options(run, signal),
    port: run.layout.redisPort,
    onPid: pidKeeper(run, 'redis', 'SIGTERM'),
  });
}

function options({ dataDir, progress }: StackRun, signal: AbortSignal) {
  return { dataDir: dataDir.path, logDir: dataDir.logDir, log: progress.line, signal };
}

function external(url: string): Store {
  return { pid: undefined, url, stop: async () => undefined };
}
