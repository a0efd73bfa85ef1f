import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { askRedis, type RunningProcess, type Store, startRedis } from '@hooligram/local';
import type { Certificate } from '../certificates.ts';
import { freePorts } from '../free-ports.ts';
import { until } from '../patience.ts';
import { tlsSettings } from '../tls-settings.ts';
import { startSentinel } from './start-sentinel.ts';

/** What the Sentinels call them. */
const name = 'hooligram';
/** Between two looks: Sentinels take seconds, and each look is some connections. */
const lookEveryMs = 50;

export type SentinelSetOptions = {
  /** For the data of each Redis and the configuration of each Sentinel. */
  readonly folder: string;
  readonly logDir: string;
  /** How many Sentinels watch. Most of them must agree that the primary is dead. */
  readonly sentinels: number;
  /** A Redis that is silent for so long is dead to them. */
  readonly downAfterMs: number;
  /** With it, clients, both Redis and the Sentinels speak TLS; tests ask them without. */
  readonly tls?: Certificate | undefined;
  /** Called for each process that is started. */
  readonly onPid: (pid: number) => void;
};

/** Clients and others of its kind come to `clientPort`, tests to `port`. */
type Ports = { readonly port: number; readonly clientPort: number };
/** One of the two. Its ports stay, its process does not. */
type Server = Ports & { readonly name: string; store: Store };
type Sentinel = { readonly port: number; readonly process: RunningProcess };

/** Two Redis, a primary and its replica, and Sentinels that watch both. */
export class SentinelSet {
  /** For REDIS_URL: first a Sentinel that does not exist, then those that do. */
  readonly url: string;
  /** For REDIS_CA_FILE, if they are reached over TLS. */
  readonly caFile: string | undefined;
  readonly #options: SentinelSetOptions;
  readonly #servers: readonly [Server, Server];
  readonly #sentinels: Sentinel[] = [];
  #dead: Server | undefined;

  /** Resolves when the replica has the data, and every Sentinel knows all of them. */
  static async start(options: SentinelSetOptions): Promise<SentinelSet> {
    const [nobody = 0, ...numbers] = await freePorts(5 + 2 * options.sentinels);
    const pairs = Array.from({ length: 2 + options.sentinels }, (_, index): Ports => {
      const [port = 0, tlsPort = 0] = numbers.slice(2 * index);
      return { port, clientPort: options.tls ? tlsPort : port };
    });
    const [one, two, ...sentinels] = pairs as [Ports, Ports, ...Ports[]];
    const starting = [startServer('one', one, options), startServer('two', two, options)] as const;
    const clientPorts = [nobody, ...sentinels.map(({ clientPort }) => clientPort)];
    const set = new SentinelSet(options, await Promise.all(starting), clientPorts);
    try {
      await set.#watch(sentinels);
    } catch (error) {
      await set.stop();
      throw error;
    }
    return set;
  }

  private constructor(
    options: SentinelSetOptions,
    servers: readonly [Server, Server],
    sentinelPorts: readonly number[],
  ) {
    this.#options = options;
    this.#servers = servers;
    const hosts = sentinelPorts.map((port) => `127.0.0.1:${port}`);
    this.url = `${options.tls ? 'rediss' : 'redis'}+sentinel://${hosts.join(',')}/?name=${name}`;
    this.caFile = options.tls?.certFile;
  }

  /** The one that is the primary now, as the Sentinels say. */
  async primary(): Promise<Store> {
    return this.#serverAt(await this.#primaryPort()).store;
  }

  /** Has the Sentinels make the replica the primary, and the primary a replica. Resolves when they have. */
  async failOver(): Promise<void> {
    const before = await this.#primaryPort();
    await askRedis(this.#sentinelPort(), (redis) => redis.call('SENTINEL', 'FAILOVER', name));
    await this.#untilSwitched(before);
  }

  /** Kills the primary. Resolves when the Sentinels have made the replica the primary. */
  async killPrimary(): Promise<void> {
    const before = await this.#primaryPort();
    this.#dead = this.#serverAt(before);
    send(this.#dead.store, 'SIGKILL');
    await this.#untilSwitched(before);
  }

  /** Starts the one that was killed, which takes itself for the primary until a Sentinel tells it otherwise. */
  async revive(): Promise<void> {
    const server = this.#dead;
    if (!server) return;
    this.#dead = undefined;
    await server.store.stop();
    server.store = (await startServer(server.name, server, this.#options)).store;
  }

  /**
   * Stops the primary for so long that the Sentinels make the replica the primary. Then it goes on, and is the primary of
   * all connections that do not know better.
   */
  async freezePrimary(): Promise<void> {
    const before = await this.#primaryPort();
    const { store } = this.#serverAt(before);
    send(store, 'SIGSTOP');
    try {
      await this.#untilSwitched(before);
    } finally {
      send(store, 'SIGCONT');
    }
  }

  /** Resolves when the replica has all data of the primary, and every Sentinel knows both and the others. */
  async whole(): Promise<void> {
    const { sentinels } = this.#options;
    const known = `status=ok,address=127.0.0.1:PORT,slaves=1,sentinels=${sentinels}`;
    await until('a primary has its replica, and all Sentinels agree', async () => {
      const primaryPort = await this.#primaryPort();
      const other = this.#servers.find(({ clientPort }) => clientPort !== primaryPort) as Server;
      const replication = await infoOf(other.port, 'replication');
      const texts = await Promise.all(this.#sentinels.map(({ port }) => infoOf(port, 'sentinel')));
      await pause(lookEveryMs);
      return (
        replication.includes('role:slave') &&
        replication.includes(`master_port:${primaryPort}`) &&
        replication.includes('master_link_status:up') &&
        texts.every((text) => text.includes(known.replace('PORT', String(primaryPort))))
      );
    });
  }

  async stop(): Promise<void> {
    const stores = this.#servers.map(({ store }) => store);
    // One that is frozen would not end.
    for (const store of stores) send(store, 'SIGCONT');
    await Promise.all([...this.#sentinels.map(({ process }) => process), ...stores].map((one) => one.stop()));
  }

  async #watch(sentinels: readonly Ports[]): Promise<void> {
    const [primary, replica] = this.#servers;
    await askRedis(replica.port, (redis) => redis.replicaof('127.0.0.1', primary.clientPort));
    for (const ports of sentinels) {
      const process = await startSentinel({
        ...this.#options,
        ...ports,
        folder: join(this.#options.folder, `sentinel-${ports.port}`),
        name,
        primaryPort: primary.clientPort,
        quorum: Math.floor(sentinels.length / 2) + 1,
      });
      this.#sentinels.push({ port: ports.port, process });
      this.#options.onPid(process.pid);
    }
    await this.whole();
  }

  #primaryPort(): Promise<number> {
    return primaryPortAt(this.#sentinelPort());
  }

  async #untilSwitched(from: number): Promise<void> {
    await until('the Sentinels have chosen the other one', async () => {
      const chosen = await Promise.all(this.#sentinels.map(({ port }) => primaryPortAt(port)));
      await pause(lookEveryMs);
      return chosen.every((port) => port !== from && port !== 0);
    });
  }

  #sentinelPort(): number {
    return (this.#sentinels[0] as Sentinel).port;
  }

  #serverAt(port: number): Server {
    const found = this.#servers.find((server) => server.clientPort === port);
    if (!found) throw new Error(`the Sentinels name a primary at port ${port}, which is none of theirs`);
    return found;
  }
}

async function startServer(
  own: string,
  { port, clientPort }: Ports,
  { folder, logDir, tls, onPid }: SentinelSetOptions,
): Promise<Server> {
  const settings = tls ? tlsSettings(clientPort, tls) : {};
  const store = await startRedis({
    dataDir: join(folder, own),
    logDir,
    port,
    settings,
    restart: false,
    onPid,
  });
  return { name: own, port, clientPort, store };
}

/** @returns 0 while it does not answer */
async function primaryPortAt(sentinelPort: number): Promise<number> {
  const asked = askRedis(sentinelPort, (redis) => redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name));
  const address = (await asked.catch(() => null)) as string[] | null;
  return Number(address?.[1] ?? 0);
}

/** @returns nothing while it does not answer */
async function infoOf(port: number, section: string): Promise<string> {
  return askRedis(port, (redis) => redis.info(section)).catch(() => '');
}

function send({ pid }: Store, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
