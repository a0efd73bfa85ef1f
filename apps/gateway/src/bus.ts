import { randomUUID } from 'node:crypto';
import {
  checkShards,
  createNames,
  createSignatures,
  type Names,
  Placement,
  remarkOnShards,
  ShardChecks,
  tagOfAddress,
  untilEnough,
} from '@hooligram/bus';
import { UnreadableError } from '@hooligram/contract';
import { createLoopTurns, redisAddresses, type ServiceContext, withoutPasswords } from '@hooligram/service';
import type { Budgets } from './budgets.ts';
import type { gatewayConfig } from './config.ts';
import type { GatewayContext } from './context.ts';
import { CoreClient } from './core/core-client.ts';
import type { Credit } from './core/credit.ts';
import { receivePublication } from './core/publications.ts';
import { Resync } from './core/resync.ts';
import { UnreadablePublications } from './core/unreadable.ts';
import { createContext } from './create-context.ts';
import type { MessageTraces } from './delivery/message-traces.ts';
import type { FeedDeps } from './groups/group-feed.ts';
import type { GatewayMetrics } from './metrics.ts';
import { RepeatedCalls } from './repeated-calls.ts';
import { Shard, type ShardOwner } from './shard.ts';

/**
 * Answers of so many bytes are read one publication in each round of the event loop. Messages that were published behind
 * them are passed on meanwhile: that is as if the core had answered a moment later.
 */
const largeBytes = 32 * 1_024;

type Options = Pick<FeedDeps, 'publish'> & {
  readonly budgets: Budgets;
  readonly service: ServiceContext<typeof gatewayConfig>;
  readonly metrics: GatewayMetrics;
  /** Undefined unless messages are traced. */
  readonly traces: MessageTraces | undefined;
  /**
   * The database has another epoch, and `context` is a new one. The one from before receives nothing any more: its
   * clients have to be sent away.
   */
  onEpoch(before: GatewayContext, now: GatewayContext): void;
  /** Takes what operators ask of nodes. @param replyThrough where the reply has to be published */
  onNodeCall(bytes: Buffer, replyThrough: Pick<Shard, 'publish'>): void;
  /** Takes what gateways that level their load tell each other; only then given. */
  onLevel?: ((bytes: Buffer) => void) | undefined;
};

/** The Redis of this gateway, and of each whether it works, if there are several. */
type Shards = {
  readonly node: string;
  readonly signingKeys: readonly string[];
  readonly all: readonly Shard[];
  readonly healths: readonly ShardChecks[];
};

/**
 * This gateway's way to the cores and from them, through one Redis or several; and the context of the epoch in which the
 * database is, as far as this gateway knows. Sessions keep the context with which they began.
 *
 * What concerns a group or a user comes from the shard of its partition. A request goes through the shard of its user, and
 * its answer comes back there.
 */
export class Bus {
  readonly #options: Options;
  readonly #names: Names;
  readonly #ownChannel: string;
  /** The name of this process among all nodes. */
  readonly node: string;
  /** Fingerprints of BUS_SIGNING_KEYS. */
  readonly signingKeys: readonly string[];
  readonly #shards: readonly Shard[];
  readonly #healths: readonly ShardChecks[];
  readonly #placement: Placement;
  readonly #core: CoreClient;
  readonly #resyncs: readonly Resync[];
  readonly #unreadable: UnreadablePublications;
  readonly #calls = new RepeatedCalls();
  readonly #largeTurn = createLoopTurns();
  #context: GatewayContext;
  #epoch: number;

  /** Resolves when the way to Redis and back is proved; of several Redis, to as many as a ready gateway needs. */
  static async connect(options: Options): Promise<Bus> {
    const shards = createShards(options);
    const connecting = shards.all.map((shard) => shard.connect());
    const epochs = await untilEnough(connecting);
    const bus = new Bus(options, shards, Math.max(...epochs));
    await bus.#start(connecting);
    return bus;
  }

  /** @param epoch of the database, as Redis knows it */
  private constructor(options: Options, { node, signingKeys, all, healths }: Shards, epoch: number) {
    this.#options = options;
    this.#epoch = epoch;
    this.#names = createNames(options.service.config.REDIS_PREFIX, () => this.#epoch);
    this.node = node;
    this.signingKeys = signingKeys;
    this.#ownChannel = this.#names.gateway(node);
    this.#shards = all;
    this.#healths = healths;
    this.#placement = new Placement(all.length);
    this.#core = this.#createCore();
    this.#context = this.#createContext();
    const context = () => this.#context;
    const livesOn = (shard: number) => (id: number) => this.#placement.of(id) === shard;
    this.#resyncs = all.map(({ index }) => new Resync(context, livesOn(index)));
    this.#unreadable = new UnreadablePublications(context, this.#names);
  }

  get context(): GatewayContext {
    return this.#context;
  }

  get names(): Names {
    return this.#names;
  }

  /** Publishes to other nodes, on every Redis; nothing is lost that matters if it fails. @param body a text, or JSON */
  publish(channel: string, body: object | string): void {
    for (const shard of this.#shards) shard.publish(channel, body);
  }

  get requestsPending(): number {
    return this.#core.pending;
  }

  get requestStreamBytes(): number {
    return this.#core.streamBytes;
  }

  /** What the cores may send that is large: how much of it may be on its way, and who waits for that. */
  get credit(): Pick<Credit, 'bytes' | 'waiting'> {
    return this.#core.credit;
  }

  /** @param connecting each shard, until it is there: the epoch of the database that is noted there */
  async #start(connecting: readonly Promise<number>[]): Promise<void> {
    const { lifecycle, log } = this.#options.service;
    lifecycle.onClose('requests', () => this.#core.close());
    lifecycle.onClose('unreadable publications', () => this.#unreadable.close());
    lifecycle.onClose('cursors', () => this.#context.cursorWriter.close());
    lifecycle.onClose('overdue', () => this.#context.overdue.close());
    const opening = this.#shards.map(async (shard) => {
      try {
        this.#enter((await connecting[shard.index]) ?? 0);
        await this.#open(shard);
      } catch (err) {
        if (!lifecycle.stopping.aborted) log.error({ err, redis: shard.index }, 'could not be started');
        throw err;
      }
    });
    await untilEnough(opening);
  }

  /** @returns when the way to this Redis and back is proved */
  async #open(shard: Shard): Promise<void> {
    const { gateways, nodes, levels } = this.#names;
    const channels = [gateways, nodes, ...(this.#options.onLevel ? [levels] : [])];
    const owner: ShardOwner = {
      onPublication: (from, channel, bytes) => this.#receive(from, channel, bytes),
      onRefused: (channel) => this.#unreadable.refuse(channel),
      onResubscribed: ({ index }) => this.#resyncs[index]?.start(),
      onWritable: ({ index }) => this.#core.repeatAll(index),
      onEpoch: (epoch) => this.#enter(epoch),
    };
    this.#core.open(shard.index);
    await shard.open(owner, this.#ownChannel, channels);
  }

  #createCore(): CoreClient {
    const { service, metrics, budgets } = this.#options;
    const { config } = service;
    return new CoreClient({
      repeatMs: config.REQUEST_REPEAT_MS,
      patienceMs: config.REQUEST_PATIENCE_MS,
      creditBytes: config.ANSWER_CREDIT_BYTES,
      onRepeated: () => metrics.requestsRepeated.inc(),
      onSettled: metrics.requests.settled,
      epoch: () => this.#epoch,
      onEpoch: (epoch) => this.#enter(epoch),
      shards: this.#shards.length,
      shardOf: (id) => this.#placement.of(id),
      works: (shard) => this.#healths[shard]?.works === true,
      onShardLost: () => {
        budgets.signIns.leaveAll();
        budgets.catchUps.leaveAll();
      },
      createWriter: (shard, onFailed) => (this.#shards[shard] as Shard).createWriter(onFailed),
    });
  }

  #createContext(): GatewayContext {
    const { service, metrics, traces, publish, budgets } = this.#options;
    const shardOf = (id: number) => this.#shards[this.#placement.of(id)] as Shard;
    const isAway = (id: number) => this.#healths[this.#placement.of(id)]?.works === false;
    return createContext(this.#epoch, {
      config: service.config,
      log: service.log,
      metrics,
      traces,
      node: this.node,
      core: this.#core,
      channelsOf: (id) => shardOf(id).channels,
      isAway: this.#shards.length > 1 ? isAway : undefined,
      publish,
      budgets,
      send: (userId, channel, body) => shardOf(userId).publishTogether(channel, body),
    });
  }

  /** The answers to requests of all epochs, and what is published, are of the new one from now on. */
  #enter(epoch: number): void {
    if (epoch <= this.#epoch) return;
    const before = this.#context;
    this.#epoch = epoch;
    this.#context = this.#createContext();
    this.#options.onEpoch(before, this.#context);
  }

  #receive(shard: Shard, channel: string, bytes: Buffer): void {
    try {
      if (channel === this.#names.gateways) this.#onCall(shard, bytes);
      else if (channel === this.#ownChannel) {
        if (!shard.takeEcho(bytes)) this.#onAnswers(shard, bytes);
      } else if (channel === this.#names.nodes) this.#onNodeCall(shard, bytes);
      else if (channel === this.#names.levels) this.#options.onLevel?.(bytes);
      else if (this.#names.isOfEpoch(channel)) receivePublication(this.#context, bytes);
      // Else of the epoch before: such a channel may be subscribed for a while.
    } catch (error) {
      this.#unreadable.receive(channel, error);
    }
  }

  #onAnswers(shard: Shard, bytes: Buffer): void {
    const answers = shard.pieces.receive(bytes);
    if (!answers) return;
    if (answers.byteLength < largeBytes) this.#core.onAnswers(answers);
    else void this.#largeTurn().then(() => this.#onLargeAnswers(answers));
  }

  #onLargeAnswers(answers: Buffer): void {
    try {
      this.#core.onAnswers(answers);
    } catch (error) {
      this.#unreadable.receive(this.#ownChannel, error);
    }
  }

  #onCall(shard: Shard, bytes: Buffer): void {
    const call = bytes.toString();
    if (call === 'epoch') shard.lookForEpoch();
    // The request stream was lost, with all requests.
    else if (call === 'lost') this.#core.repeatAll(shard.index);
    // Of several Redis: a core could not publish there for a while. The requests are in its stream.
    else if (call === 'missed') this.#resyncs[shard.index]?.start();
    else throw new UnreadableError('not known here');
  }

  /** Operators call on every Redis. */
  #onNodeCall(shard: Shard, bytes: Buffer): void {
    if (this.#shards.length > 1 && this.#calls.has(bytes)) return;
    this.#options.onNodeCall(bytes, shard);
  }
}

function createShards(options: Options): Shards {
  const { config, log } = options.service;
  // New and random at every start: a late answer to an earlier process of this gateway must not reach a client here.
  const node = randomUUID();
  const signatures = createSignatures(config.BUS_SIGNING_KEYS);
  const urls = redisAddresses(config.REDIS_URL);
  const healths = urls.length > 1 ? urls.map((url) => new ShardChecks(withoutPasswords(url), log)) : [];
  // Until its echo says more.
  for (const health of healths) health.check('bus', () => 'not connected');
  if (healths.length > 0) reportShards(options, healths);
  const all = urls.map((url, index) => {
    const fields: Record<string, string> = urls.length > 1 ? { redis: withoutPasswords(url) } : {};
    const health = healths[index] ?? options.service.lifecycle;
    const names = createNames(config.REDIS_PREFIX, undefined, tagOfAddress(url));
    return new Shard({ ...options, index, url, fields, node, names, signatures, health });
  });
  return { node, signingKeys: signatures?.fingerprints ?? [], all, healths };
}

/** Whether enough of several Redis work, and how many do. */
function reportShards({ service, metrics }: Options, healths: readonly ShardChecks[]): void {
  const failures = () => healths.map(({ failure }) => failure);
  service.lifecycle.check(
    'bus',
    () => checkShards(failures()),
    () => remarkOnShards(failures()),
  );
  metrics.redis.working.read(() => healths.filter(({ works }) => works).length);
}
