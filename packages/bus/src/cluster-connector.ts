import { connect as connectTcp, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Host, RedisAddress } from '@hooligram/service';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';

/** A node that is silent for longer is passed over. */
const answerTimeoutMs = 1_500;
/** How long a connection that is ended may take for that. */
const disconnectTimeoutMs = 2_000;

type Stream = Socket | TLSSocket;

/** As `CLUSTER SLOTS` says it: a range of slots, and its nodes, the master first. */
type Range = [first: number, last: number, master: Node, ...replicas: Node[]];
type Node = [host: string | null, port: number, ...rest: unknown[]];

/**
 * How ioredis connects to the master that has a slot of a Redis Cluster: found anew for each connection, so each one leads to
 * the master of that moment.
 *
 * @param address of a shard of the cluster, with some of its nodes; the others are found through them
 */
export function connectorToSlot(slot: number, address: RedisAddress): NonNullable<RedisOptions['Connector']> {
  return class extends SlotConnector {
    constructor() {
      super(slot, address);
    }
  };
}

class SlotConnector extends AbstractConnector {
  readonly #slot: number;
  readonly #options: RedisAddress['options'];
  readonly #seeds: readonly Host[];
  /** The nodes of the cluster, as it was told last. */
  #nodes: readonly Host[] = [];
  #asking: Redis | undefined;

  constructor(slot: number, { cluster, options }: RedisAddress) {
    super(disconnectTimeoutMs);
    this.#slot = slot;
    this.#seeds = cluster?.nodes ?? [];
    this.#options = options;
  }

  /** Never rejects: ioredis would give the client up for good. A connection that is closed already, it makes again. */
  override async connect(): Promise<Stream> {
    this.connecting = true;
    delete this.firstError;
    try {
      const master = await this.#findMaster();
      if (!this.connecting) throw new Error('Connection is closed.');
      const { tls } = this.#options;
      this.stream = tls ? connectTls({ ...master, ...tls }) : connectTcp(master);
      this.stream.once('error', (error) => {
        this.firstError = error;
      });
    } catch (error) {
      this.firstError = error as Error;
      this.stream = new Socket().destroy();
    }
    return this.stream;
  }

  /** @param info what the server said of itself; nothing if it may not be asked */
  override check(info: { role?: string } | undefined): boolean {
    return info?.role === undefined || info.role === 'master';
  }

  override disconnect(): void {
    this.#asking?.disconnect();
    // It would wait for the end of what has ended.
    if (this.stream?.destroyed) this.connecting = false;
    else super.disconnect();
  }

  /**
   * Asks one node after the other who has the slot, and then that one: a master that was replaced meanwhile, or is dead,
   * may be named by those who have not heard of it.
   *
   * @throws Error what was wrong with the first one
   */
  async #findMaster(): Promise<Host> {
    const failures: unknown[] = [];
    const asked = new Set<string>();
    for (const first of [...this.#nodes, ...this.#seeds]) {
      for (let node = first; this.connecting && !asked.has(textOf(node)); ) {
        asked.add(textOf(node));
        const master = await this.#ask(node).catch((error: unknown) => void failures.push(error));
        if (!master) break;
        if (textOf(master) === textOf(node)) return master;
        node = master;
      }
    }
    throw failures[0] ?? new Error('the nodes of the Redis Cluster do not agree who is the master');
  }

  /** @returns which node has the slot, as this one knows @throws Error if it knows none, or does not answer */
  async #ask(node: Host): Promise<Host> {
    const ranges = await this.#readSlots(node);
    // One that does not know where it can be reached is where it was reached.
    const hostOf = ([host, port]: Node): Host => ({ host: host || node.host, port });
    const range = ranges.find(([first, last]) => first <= this.#slot && this.#slot <= last);
    if (!range) throw new Error(`no master has slot ${this.#slot} of the Redis Cluster`);
    const [, , master, ...replicas] = range;
    const others = ranges.flatMap(([, , ...nodes]) => (nodes[0] === master ? [] : nodes));
    // If it has to be looked for again, it is the one that is dead.
    this.#nodes = [...replicas, ...others, master].map(hostOf);
    return hostOf(master);
  }

  async #readSlots(node: Host): Promise<Range[]> {
    const redis = new Redis({
      ...node,
      ...this.#options,
      replyMapping: 'legacy',
      lazyConnect: true,
      retryStrategy: () => null,
      enableReadyCheck: false,
      connectTimeout: answerTimeoutMs,
      commandTimeout: answerTimeoutMs,
    });
    let reason: Error | undefined;
    redis.on('error', (error: Error) => {
      reason = error;
    });
    this.#asking = redis;
    try {
      await redis.connect();
      return (await redis.call('CLUSTER', 'SLOTS')) as Range[];
    } catch (error) {
      throw reason ?? error;
    } finally {
      redis.disconnect();
    }
  }
}

function textOf({ host, port }: Host): string {
  return `${host}:${port}`;
}
