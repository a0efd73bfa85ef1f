import { randomUUID } from 'node:crypto';
import {
  type ConnectionRole,
  connectRedis,
  createNames,
  createRequestWriter,
  createSignatures,
  type Echo,
  type Names,
  PieceCollector,
  type RedisClock,
  readEpoch,
  reconnect,
  type Signatures,
  Subscriptions,
  startEcho,
  startEpochWatch,
  startRedisClock,
} from '@hooligram/bus';
import { type CoreRequest, UnreadableError } from '@hooligram/contract';
import { createLoopTurns, type ServiceContext, untilWorks } from '@hooligram/service';
import type { Budgets } from './budgets.ts';
import type { gatewayConfig } from './config.ts';
import type { GatewayContext } from './context.ts';
import { CoreClient } from './core/core-client.ts';
import type { Credit } from './core/credit.ts';
import { receivePublication } from './core/publications.ts';
import { resync } from './core/resync.ts';
import { checkSubscriberLimit } from './core/subscriber-limit.ts';
import { UnreadablePublications } from './core/unreadable.ts';
import { createContext } from './create-context.ts';
import type { MessageTraces } from './delivery/message-traces.ts';
import type { FeedDeps } from './groups/group-feed.ts';
import type { GatewayMetrics } from './metrics.ts';

/** Requests in one stream entry; what is more in one event-loop tick goes into the next entry. */
const requestsPerEntryMax = 500;

/**
 * Answers of so many bytes are read one publication in each round of the event loop. Messages that were published behind
 * them are passed on meanwhile: that is as if the core had answered a moment later.
 */
const largeBytes = 32 * 1_024;

type Redis = Awaited<ReturnType<typeof connectRedis>>;

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
  /** Takes what operators ask of nodes. */
  onNodeCall(bytes: Buffer): void;
  /** Takes what gateways that level their load tell each other; only then given. */
  onLevel?: ((bytes: Buffer) => void) | undefined;
};

type Connected = Awaited<ReturnType<typeof connect>>;

/**
 * This gateway's way to the cores and from them, through Redis; and the context of the epoch in which the database is,
 * as far as this gateway knows. Sessions keep the context with which they began.
 */
export class Bus {
  readonly #options: Options;
  readonly #names: Names;
  readonly #ownChannel: string;
  /** The name of this process among all nodes. */
  readonly node: string;
  readonly #command: Redis;
  readonly #subscriber: Redis;
  readonly #signatures: Signatures | undefined;
  readonly #core: CoreClient;
  readonly #subscriptions: Subscriptions;
  readonly #unreadable: UnreadablePublications;
  readonly #pieces = new PieceCollector();
  readonly #largeTurn = createLoopTurns();
  #context: GatewayContext;
  #epoch: number;
  #epochWatch: ReturnType<typeof startEpochWatch> | undefined;
  #echo: Echo | undefined;

  /** Resolves when the way to Redis and back is proved. */
  static async connect(options: Options): Promise<Bus> {
    const bus = new Bus(options, await connect(options.service));
    await bus.#start();
    return bus;
  }

  private constructor(options: Options, { node, command, subscriber, signatures, clock, epoch }: Connected) {
    const { config, lifecycle } = options.service;
    this.#options = options;
    this.#epoch = epoch;
    this.#names = createNames(config.REDIS_PREFIX, () => this.#epoch);
    this.node = node;
    this.#ownChannel = this.#names.gateway(node);
    this.#command = command;
    this.#subscriber = subscriber;
    this.#signatures = signatures;
    this.#core = this.#createCore(node, clock);
    this.#subscriptions = new Subscriptions({
      redis: subscriber,
      part: lifecycle.part('subscriptions'),
      onPublication: (channel, bytes) => this.#receive(channel, bytes),
      onResubscribed: () => {
        this.#core.repeatAll();
        void resync(this.#context);
      },
      signing: signatures && {
        signatures,
        onRefused: (channel) => this.#unreadable.refuse(channel),
      },
    });
    this.#context = this.#createContext();
    this.#unreadable = new UnreadablePublications(() => this.#context, this.#names);
  }

  get context(): GatewayContext {
    return this.#context;
  }

  get names(): Names {
    return this.#names;
  }

  /** Fingerprints of BUS_SIGNING_KEYS. */
  get signingKeys(): readonly string[] {
    return this.#signatures?.fingerprints ?? [];
  }

  /** Publishes to operators and other gateways; nothing is lost that matters if it fails. @param body a text, or JSON */
  publish(channel: string, body: object | string): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    void this.#command.publish(channel, text).catch(() => {});
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

  async #start(): Promise<void> {
    const { lifecycle, config, log } = this.#options.service;
    void checkSubscriberLimit(this.#command, config.ANSWER_CREDIT_BYTES, log);
    lifecycle.onClose('requests', () => this.#core.close());
    lifecycle.onClose('unreadable publications', () => this.#unreadable.close());
    lifecycle.onClose('cursors', () => this.#context.cursorWriter.close());
    lifecycle.onClose('overdue', () => this.#context.overdue.close());
    const epochWatch = startEpochWatch(this.#command, this.#names.databaseEpoch, (epoch) =>
      this.#enter(epoch),
    );
    this.#epochWatch = epochWatch;
    lifecycle.onClose('epoch of the database', () => epochWatch.stop());
    this.#options.metrics.redis.watch('command', this.#command);
    this.#options.metrics.redis.watch('subscriber', this.#subscriber);
    this.#command.on('ready', () => this.#core.repeatAll());
    const { gateways, nodes, levels } = this.#names;
    const channels = [this.#ownChannel, gateways, nodes, ...(this.#options.onLevel ? [levels] : [])];
    await Promise.all(channels.map((channel) => this.#subscriptions.acquire(channel)));
    const echo = this.#startEcho();
    this.#echo = echo;
    lifecycle.onClose('echo', () => echo.close());
    lifecycle.check('bus', echo.check);
    await echo.first;
  }

  #createCore(node: string, clock: RedisClock): CoreClient {
    const { service, metrics, traces } = this.#options;
    const { config, log } = service;
    const { onWritten } = metrics.redis;
    const onTracedWritten = (ms: number, requests: readonly CoreRequest[]) => {
      onWritten(ms);
      traces?.written(ms, requests);
    };
    return new CoreClient({
      repeatMs: config.REQUEST_REPEAT_MS,
      patienceMs: config.REQUEST_PATIENCE_MS,
      creditBytes: config.ANSWER_CREDIT_BYTES,
      onRepeated: () => metrics.requestsRepeated.inc(),
      onSettled: metrics.requests.settled,
      epoch: () => this.#epoch,
      onEpoch: (epoch) => this.#enter(epoch),
      createWriter: (onFailed) =>
        createRequestWriter<CoreRequest>({
          redis: this.#command,
          clock,
          names: this.#names,
          node,
          deadlineMs: config.REQUEST_DEADLINE_MS,
          requestsMax: requestsPerEntryMax,
          entriesMax: config.REQUESTS_WAITING_MAX,
          bytesMax: config.REQUESTS_WAITING_BYTES_MAX,
          onRoundTrip: traces ? onTracedWritten : onWritten,
          signatures: this.#signatures,
          onFailed(requests, failure, reason) {
            const see = `docs/runbook.md#${failure === 'full' ? 'streambacklog' : 'redisaway'}`;
            log.warn({ requests: requests.length, failure, reason, see }, 'writing requests to Redis failed');
            if (failure === 'full') metrics.requestsShed.inc({ cause: `stream ${reason}` }, requests.length);
            if (failure === 'refused') metrics.requestsRefused.inc(requests.length);
            onFailed(requests, failure);
          },
        }),
    });
  }

  #createContext(): GatewayContext {
    const { service, metrics, traces, publish, budgets } = this.#options;
    return createContext(this.#epoch, {
      config: service.config,
      log: service.log,
      metrics,
      traces,
      node: this.node,
      core: this.#core,
      subscriptions: this.#subscriptions,
      publish,
      budgets,
      send: (channel, body) => this.publish(channel, body),
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

  #receive(channel: string, bytes: Buffer): void {
    try {
      if (channel === this.#names.gateways) this.#onCall(bytes);
      else if (channel === this.#ownChannel) {
        if (!this.#echo?.onPublication(bytes)) this.#onAnswers(bytes);
      } else if (channel === this.#names.nodes) this.#options.onNodeCall(bytes);
      else if (channel === this.#names.levels) this.#options.onLevel?.(bytes);
      else if (this.#names.isOfEpoch(channel)) receivePublication(this.#context, bytes);
      // Else of the epoch before: such a channel may be subscribed for a while.
    } catch (error) {
      this.#unreadable.receive(channel, error);
    }
  }

  #onAnswers(bytes: Buffer): void {
    const answers = this.#pieces.receive(bytes);
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

  #onCall(bytes: Buffer): void {
    const call = bytes.toString();
    if (call === 'epoch') this.#epochWatch?.look();
    else if (call === 'lost') this.#core.repeatAll();
    else throw new UnreadableError('not known here');
  }

  #startEcho(): Echo {
    const { log, lifecycle, config } = this.#options.service;
    return startEcho({
      redis: this.#command,
      stream: this.#names.echo,
      channel: this.#ownChannel,
      part: lifecycle.part('bus'),
      onSilence: () => {
        log.warn({ silenceMs: this.#echo?.silenceMs() }, 'no echo: the connections to Redis are made again');
        reconnect(this.#subscriber);
        reconnect(this.#command);
      },
      onAccepted: ({ isWrongServer }) => {
        // The command connection has found a server that takes writes; the other may still be at the one before.
        if (isWrongServer) reconnect(this.#subscriber);
        this.#core.repeatAll();
      },
      silenceMaxMs: config.BUS_SILENCE_MS,
      onRoundTrip: this.#options.metrics.redis.onWritten,
      onRefused: this.#options.metrics.redis.onRefused,
      signatures: this.#signatures,
    });
  }
}

/** @returns what a bus is made of; `epoch` is the database's, as Redis knows it */
async function connect(service: Options['service']) {
  const { config, lifecycle } = service;
  // New and random at every start: a late answer to an earlier process of this gateway must not reach a client here.
  const node = randomUUID();
  // One after the other: an outage is logged once.
  const signatures = createSignatures(config.BUS_SIGNING_KEYS);
  const command = await connectTo(service, 'command', node, signatures);
  const subscriber = await connectTo(service, 'subscriber', node);
  const clock = await untilWorks(lifecycle, 'redis clock', () => startRedisClock(command));
  lifecycle.onClose('clock', () => clock.close());
  const { databaseEpoch } = createNames(config.REDIS_PREFIX);
  const epoch = await untilWorks(lifecycle, 'epoch of the database', () => readEpoch(command, databaseEpoch));
  return { node, command, subscriber, signatures, clock, epoch: epoch ?? 0 };
}

async function connectTo(
  { config, log, lifecycle }: Options['service'],
  role: ConnectionRole,
  node: string,
  signatures?: Signatures,
): Promise<Redis> {
  lifecycle.check(`redis ${role}`, () => 'not connected');
  const redis = await connectRedis(config.REDIS_URL, {
    role,
    name: `gateway-${role}-${node}`,
    log,
    signal: lifecycle.stopping,
    isPatient: true,
    caFile: config.REDIS_CA_FILE,
    signatures,
  });
  lifecycle.onClose(`redis ${role}`, () => redis.disconnect());
  lifecycle.check(`redis ${role}`, () => redis.status === 'ready' || 'not connected');
  return redis;
}
