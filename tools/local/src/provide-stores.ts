import { allOrNothing } from './all-or-nothing.ts';
import { checkPostgres, startPostgres } from './postgres.ts';
import { checkRedis, startRedis } from './redis.ts';
import { pidKeeper, type StackRun } from './stack-run.ts';
import type { Store, StoreOptions } from './store.ts';

// Of a core's pool, and for the rest: migrations, and a user with psql.
const connectionsPerCore = 12;
const connectionsBesides = 88;

/**
 * The Postgres of DATABASE_URL and the Redis of REDIS_URL; a store whose variable is not set is started here.
 * @throws StartError
 */
export async function provideStores(run: StackRun) {
  const { layout, dataDir, progress } = run;
  const close = run.closing.stage();
  const provide =
    (
      url: string | undefined,
      check: (url: string) => Promise<void>,
      start: (options: Omit<StoreOptions, 'port'>) => Promise<Store>,
    ) =>
    async (signal: AbortSignal): Promise<Store> => {
      if (url) {
        await check(url);
        return { pid: undefined, url, stop: async () => undefined };
      }
      const { path, logDir } = dataDir;
      const store = await start({ dataDir: path, logDir, log: progress.line, signal });
      close(store.stop);
      return store;
    };
  const postgresOptions = {
    port: layout.postgresPort,
    connectionsMax: connectionsBesides + connectionsPerCore * layout.cores.length,
    onPid: pidKeeper(run, 'postgres', 'SIGINT'),
  };
  const { DATABASE_URL, REDIS_URL, REDIS_CA_FILE } = process.env;
  const check = (url: string) => checkRedis(url, REDIS_CA_FILE);
  // Those of REDIS_URL count as one here.
  const redisPorts = REDIS_URL ? layout.redisPorts.slice(0, 1) : layout.redisPorts;
  const [postgres, ...redises] = await allOrNothing(
    run.signal,
    provide(DATABASE_URL, checkPostgres, (options) => startPostgres({ ...options, ...postgresOptions })),
    ...redisPorts.map((port, index) => {
      const name = index === 0 ? 'redis' : `redis-${index + 1}`;
      const onPid = pidKeeper(run, name, 'SIGTERM');
      return provide(REDIS_URL, check, (options) => startRedis({ ...options, name, port, onPid }));
    }),
  );
  return { postgres: postgres as Store, redises: redises as readonly Store[] };
}
