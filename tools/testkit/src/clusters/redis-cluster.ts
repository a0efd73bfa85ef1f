import { setTimeout as pause } from 'node:timers/promises';
import { askRedis, type Store, startRedis } from '@hooligram/local';
import type { Certificate } from '../certificates.ts';
import { freePorts } from '../free-ports.ts';
import { until } from '../patience.ts';
import { tlsSettings } from '../tls-settings.ts';
import { isReplicating, knowsAll, moveSlot, nodesOf, partsOfSlots } from './topology.ts';

const masters = 3;
const parts = partsOfSlots(masters);
/** Between two looks: nodes take seconds, and each look is some connections. */
const lookEveryMs = 50;
/** How often a replica is asked to take over. */
const failoverMs = 6_000;

export type RedisClusterOptions = {
  /** For the data of each node. */
  readonly folder: string;
  readonly logDir: string;
  /** A node that is silent for so long is dead to the others. */
  readonly nodeTimeoutMs: number;
  /** With it, clients and nodes speak TLS; tests ask the nodes without. */
  readonly tls?: Certificate | undefined;
  /** The users of each node. The user `default` has to be able to do everything, without a password. */
  readonly aclFile?: string | undefined;
  /** Called for each process that is started. */
  readonly onPid: (pid: number) => void;
};

/** Its ports stay, its process does not. Clients and other nodes come to `clientPort`, tests to `port`. */
type Node = { readonly port: number; readonly clientPort: number; readonly busPort: number; store: Store };

/**
 * A Redis Cluster: three masters, each with a third of all slots, and a replica of each. Which master is meant is said by its
 * third, from 0 on: that one's master at the moment, whichever process that is.
 */
export class RedisCluster {
  /** For REDIS_URL: first a node that does not exist, then those that do. */
  readonly url: string;
  /** For REDIS_CA_FILE, if it is reached over TLS. */
  readonly caFile: string | undefined;
  readonly #options: RedisClusterOptions;
  readonly #nodes: readonly Node[];
  readonly #dead: Node[] = [];

  /** Resolves when all nodes know each other, and each replica has the data of its master. */
  static async start(options: RedisClusterOptions): Promise<RedisCluster> {
    const [nobody = 0, ...ports] = await freePorts(1 + 6 * masters);
    const starting = Array.from({ length: 2 * masters }, async (_, index): Promise<Node> => {
      const [port = 0, busPort = 0, tlsPort = 0] = ports.slice(3 * index);
      const node = { port, busPort, clientPort: options.tls ? tlsPort : port };
      return { ...node, store: await startNode(node, options) };
    });
    const cluster = new RedisCluster(options, await Promise.all(starting), nobody);
    try {
      await cluster.#join();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  private constructor(options: RedisClusterOptions, nodes: readonly Node[], nobody: number) {
    this.#options = options;
    this.#nodes = nodes;
    const hosts = [nobody, ...nodes.map(({ clientPort }) => clientPort)].map((port) => `127.0.0.1:${port}`);
    this.url = `${options.tls ? 'rediss' : 'redis'}+cluster://${hosts.join(',')}/?shards=${masters}`;
    this.caFile = options.tls?.certFile;
  }

  /** The master of a third, as the others say. */
  async master(third: number): Promise<Store> {
    return this.#nodeAt(await this.#masterPort(third)).store;
  }

  /** Kills the master of a third. Resolves when its replica is the master to all nodes. */
  async killMaster(third: number): Promise<void> {
    const before = await this.#masterPort(third);
    const node = this.#nodeAt(before);
    this.#dead.push(node);
    send(node.store, 'SIGKILL');
    await this.#untilSwitched(third, before);
  }

  /** Starts those that were killed, which become replicas. */
  async revive(): Promise<void> {
    for (const node of this.#dead.splice(0)) {
      await node.store.stop();
      node.store = await startNode(node, this.#options);
    }
  }

  /** Makes the replica of a third its master, and the master its replica. Resolves when all nodes know it. */
  async failOver(third: number): Promise<void> {
    const [before = 0] = await this.#nodesOf(third);
    // A replica refuses while it takes its master for dead, and gives up after five seconds, without saying so.
    const over = new AbortController();
    const asking = (async () => {
      while (!over.signal.aborted) {
        const [master, replica = 0] = await this.#nodesOf(third).catch(() => []);
        if (master === before) await askRedis(replica, (redis) => redis.cluster('FAILOVER')).catch(() => {});
        await pause(failoverMs, undefined, over).catch(() => {});
      }
    })();
    await this.#untilSwitched(third, before).finally(() => over.abort());
    await asking;
  }

  /**
   * Stops the master of a third for so long that its replica becomes the master. Then it goes on, and is the master of all
   * connections that do not know better, for a moment.
   */
  async freezeMaster(third: number): Promise<void> {
    const before = await this.#masterPort(third);
    const { store } = this.#nodeAt(before);
    send(store, 'SIGSTOP');
    try {
      await this.#untilSwitched(third, before, before);
    } finally {
      send(store, 'SIGCONT');
    }
  }

  /** Moves a slot, with what is in it, to the master of a third. */
  async moveSlot(slot: number, third: number): Promise<void> {
    const [from = 0] = await nodesOf(slot, this.#livePort());
    const to = this.#nodeAt(await this.#masterPort(third));
    const all = await Promise.all(parts.map((_, part) => this.#masterPort(part)));
    await moveSlot(slot, from, to, all);
  }

  /** Resolves when all nodes know each other, and each third has a master, and a replica that has its data. */
  async whole(): Promise<void> {
    await until('each master has its replica, and all nodes are well', async () => {
      const thirds = await Promise.all(parts.map((_, third) => this.#nodesOf(third)));
      const replicas = thirds.flatMap(([, ...others]) => others);
      const all = await Promise.all([
        ...this.#nodes.map(({ port }) => knowsAll(port, this.#nodes.length)),
        ...replicas.map(isReplicating),
      ]);
      await pause(lookEveryMs);
      return replicas.length === masters && all.every(Boolean);
    });
  }

  async stop(): Promise<void> {
    const stores = this.#nodes.map(({ store }) => store);
    // One that is frozen would not end.
    for (const store of stores) send(store, 'SIGCONT');
    await Promise.all(stores.map((store) => store.stop()));
  }

  async #join(): Promise<void> {
    const ports = this.#nodes.map(({ port }) => port);
    for (const [third, [first, last]] of parts.entries()) {
      await askRedis(ports[third] as number, async (redis) => {
        await redis.cluster('ADDSLOTSRANGE', first, last);
        await redis.cluster('SET-CONFIG-EPOCH', third + 1);
      });
    }
    await askRedis(ports[0] as number, async (redis) => {
      for (const { clientPort, busPort } of this.#nodes.slice(1))
        await redis.call('CLUSTER', 'MEET', '127.0.0.1', clientPort, busPort);
    });
    await until('all nodes know each other', async () => {
      await pause(lookEveryMs);
      return (await Promise.all(ports.map((port) => knowsAll(port, ports.length)))).every(Boolean);
    });
    for (const [third] of parts.entries()) {
      const id = await askRedis(ports[third] as number, async (redis) => String(await redis.cluster('MYID')));
      await askRedis(ports[masters + third] as number, (redis) => redis.cluster('REPLICATE', id));
    }
    await this.whole();
  }

  async #untilSwitched(third: number, from: number, frozen?: number): Promise<void> {
    const asked = this.#nodes.filter((node) => !this.#dead.includes(node) && node.port !== frozen);
    await until('all nodes have the replica for the master', async () => {
      const named = await Promise.all(asked.map(({ port }) => nodesOf(middleOf(third), port)));
      await pause(lookEveryMs);
      return named.every(([master = from]) => master !== from);
    });
  }

  async #masterPort(third: number): Promise<number> {
    const [master] = await this.#nodesOf(third);
    if (master === undefined) throw new Error(`the Redis Cluster knows no master of third ${third}`);
    return master;
  }

  #nodesOf(third: number): Promise<number[]> {
    return nodesOf(middleOf(third), this.#livePort());
  }

  #livePort(): number {
    return (this.#nodes.find((node) => !this.#dead.includes(node)) as Node).port;
  }

  #nodeAt(port: number): Node {
    const found = this.#nodes.find((node) => node.port === port);
    if (!found) throw new Error(`the Redis Cluster names a node at port ${port}, which is none of its own`);
    return found;
  }
}

function middleOf(third: number): number {
  const [first, last] = parts[third] as readonly [number, number];
  return Math.floor((first + last) / 2);
}

function startNode(
  { port, busPort, clientPort }: Omit<Node, 'store'>,
  { folder, logDir, nodeTimeoutMs, tls, aclFile, onPid }: RedisClusterOptions,
): Promise<Store> {
  const settings = {
    ...(tls && { ...tlsSettings(clientPort, tls), 'tls-cluster': 'yes' }),
    ...(aclFile !== undefined && { aclfile: aclFile }),
    'cluster-enabled': 'yes',
    'cluster-port': String(busPort),
    'cluster-node-timeout': String(nodeTimeoutMs),
    // A third without a master does not stop the others.
    'cluster-require-full-coverage': 'no',
    'cluster-allow-replica-migration': 'no',
    // However long the replica was without its master.
    'cluster-replica-validity-factor': '0',
    'repl-diskless-sync-delay': '0',
  };
  const name = `node-${port}`;
  return startRedis({ name, dataDir: folder, logDir, port, settings, restart: false, onPid });
}

function send({ pid }: Store, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
