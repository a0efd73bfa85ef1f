import { allOrNothing } from './all-or-nothing.ts';
import { startRedis } from './redis.ts';
import type { Store, StoreOptions } from './store.ts';

/** What the REDIS_URL of all processes names. */
export type RedisSet = {
  readonly url: string;
  /** Each Redis of it that was started here. */
  readonly stores: readonly Store[];
};

export type RedisSetOptions = Omit<StoreOptions, 'port' | 'signal' | 'onPid' | 'log'> & {
  /** As many as `portsOf` says. Preferred; others are picked when they are taken. */
  readonly ports: readonly number[];
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  /** Of a process by its name. */
  readonly onPid: (name: string) => (pid: number) => void;
  /** Called with what ends each process, as soon as it was started. */
  readonly close: (stop: () => Promise<void>) => void;
};

type Server = {
  readonly name: string;
  readonly port: number;
  readonly settings?: Readonly<Record<string, string>>;
};

/** Starts several Redis at once, all or none. @throws StartError */
export function startAll(options: RedisSetOptions, servers: readonly Server[]): Promise<readonly Store[]> {
  const { dataDir, logDir, log, onPid, close } = options;
  const starts = servers.map(({ name, ...server }) => async (signal: AbortSignal) => {
    const store = await startRedis({ dataDir, logDir, log, name, ...server, signal, onPid: onPid(name) });
    close(store.stop);
    return store;
  });
  return allOrNothing(options.signal, ...starts);
}
