import {
  CommandBatch,
  type ConnectionRole,
  connectRedis,
  createRequestWriter,
  type Echo,
  type Names,
  oncePerTick,
  PieceCollector,
  type RedisClock,
  type RequestWriter,
  readEpoch,
  reconnect,
  type Signatures,
  Subscriptions,
  startEcho,
  startEpochWatch,
  startRedisClock,
  type WriteFailure,
} from '@hooligram/bus';
import type { CoreRequest } from '@hooligram/contract';
import { type Lifecycle, type ServiceContext, untilWorks } from '@hooligram/service';
import type { gatewayConfig } from './config.ts';
import { checkSubscriberLimit } from './core/subscriber-limit.ts';
import type { MessageTraces } from './delivery/message-traces.ts';
import { EarlyChannels } from './early-channels.ts';
import type { GatewayMetrics } from './metrics.ts';

/** Requests in one stream entry; what is more in one event-loop tick goes into the next entry. */
const requestsPerEntryMax = 500;

type Redis = Awaited<ReturnType<typeof connectRedis>>;

type Options = {
  /** Its place in the list of all Redis. */
  readonly index: number;
  readonly url: string;
  /** What its lines in the log have besides, if there are several. */
  readonly fields: Readonly<Record<string, string>>;
  readonly node: string;
  readonly names: Names;
  readonly signatures: Signatures | undefined;
  readonly service: ServiceContext<typeof gatewayConfig>;
  readonly metrics: GatewayMetrics;
  /** Undefined unless messages are traced. */
  readonly traces: MessageTraces | undefined;
  /** Where its parts say whether they work: of several its own conditions, else those of the process. */
  readonly health: Pick<Lifecycle, 'check' | 'part'>;
};

/** What a shard tells the bus. */
export type ShardOwner = {
  onPublication(shard: Shard, channel: string, bytes: Buffer): void;
  /** A publication is not signed with a key that is known here. */
  onRefused(channel: string): void;
  /** The subscriptions were broken, and are there again: what was published meanwhile was missed. */
  onResubscribed(shard: Shard): void;
  /**
   * Redis takes requests, and their answers are received, perhaps again: what was written before may be lost, or its answers.
   * Called once for a break of both connections, whichever is there first.
   */
  onWritable(shard: Shard): void;
  /** The database's epoch, as it is noted there. */
  onEpoch(epoch: number): void;
};

type Connected = { readonly command: Redis; readonly subscriber: Redis; readonly clock: RedisClock };

/**
 * One Redis of the bus: a connection for requests, one for subscriptions, its clock, and the echo that proves the way of
 * a request through both. What lives there are the groups and users whose partition is placed there, and the requests
 * that were written there, with their answers. So what is a guarantee of one connection is one of a shard.
 */
export class Shard {
  readonly index: number;
  readonly pieces = new PieceCollector();
  readonly #options: Options;
  readonly #early = new EarlyChannels();
  readonly #clients: Redis[] = [];
  #connected: Connected | undefined;
  #subscriptions: Subscriptions | undefined;
  #epochWatch: ReturnType<typeof startEpochWatch> | undefined;
  #echo: Echo | undefined;
  /** Whether the subscriptions are broken. */
  #isDeaf = false;
  /** Whether the connection for requests is. It says that it is ready a moment after it takes the first ones. */
  #isMute = false;
  #publications: [channel: string, text: string][] = [];
  readonly #publishSoon = oncePerTick(() => this.#publishAll());

  constructor(options: Options) {
    this.#options = options;
    this.index = options.index;
    // Before anything that is closed earlier, also if this Redis is there only later.
    options.service.lifecycle.onClose('redis', () => this.#close());
  }

  /**
   * Waits until Redis is there, however long that takes.
   * @returns the database's epoch that is noted there; 0 if there is none
   * @throws when the process is told to stop meanwhile
   */
  async connect(): Promise<number> {
    const { names, signatures, service, health } = this.#options;
    const lifecycle = { part: (name: string) => health.part(name), stopping: service.lifecycle.stopping };
    // One after the other: an outage is logged once.
    const command = await this.#connect('command', signatures);
    const subscriber = await this.#connect('subscriber');
    const clock = await untilWorks(lifecycle, 'redis clock', () => startRedisClock(command));
    this.#connected = { command, subscriber, clock };
    const noted = () => readEpoch(command, names.databaseEpoch);
    return (await untilWorks(lifecycle, 'epoch of the database', noted)) ?? 0;
  }

  /**
   * Begins to send and to receive.
   * @param channels to subscribe to, besides those of groups and users
   * @returns when the way to Redis and back is proved
   */
  async open(owner: ShardOwner, ownChannel: string, channels: readonly string[]): Promise<void> {
    const { names, signatures, service, metrics, health } = this.#options;
    const { command, subscriber } = this.#connection();
    const subscriptions = new Subscriptions({
      redis: subscriber,
      part: health.part('subscriptions'),
      onPublication: (channel, bytes) => owner.onPublication(this, channel, bytes),
      onResubscribed: () => {
        this.#isDeaf = false;
        this.#onWritable(owner);
        owner.onResubscribed(this);
      },
      signing: signatures && { signatures, onRefused: (channel) => owner.onRefused(channel) },
    });
    this.#subscriptions = subscriptions;
    this.#early.handOver(subscriptions);
    void checkSubscriberLimit(command, service.config.ANSWER_CREDIT_BYTES, service.log);
    this.#epochWatch = startEpochWatch(command, names.databaseEpoch, (epoch) => owner.onEpoch(epoch));
    metrics.redis.watch('command', command, this.index);
    metrics.redis.watch('subscriber', subscriber, this.index);
    subscriber.on('close', () => {
      this.#isDeaf = true;
    });
    command.on('close', () => {
      this.#isMute = true;
    });
    command.on('ready', () => {
      this.#isMute = false;
      this.#onWritable(owner);
    });
    await Promise.all([ownChannel, ...channels].map((channel) => subscriptions.acquire(channel)));
    const echo = this.#startEcho(owner, ownChannel);
    this.#echo = echo;
    health.check('bus', echo.check);
    await echo.first;
  }

  /** Where channels of groups and users that live here are subscribed. */
  get channels(): Pick<Subscriptions, 'acquire' | 'release'> {
    return this.#subscriptions ?? this.#early;
  }

  /** Publishes to other nodes and to operators; nothing is lost that matters if it fails. @param body a text, or JSON */
  publish(channel: string, body: object | string): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    void this.#connected?.command.publish(channel, text).catch(() => {});
  }

  /** The same with all others of this tick in one write: each sign-in publishes something. */
  publishTogether(channel: string, body: object | string): void {
    this.#publications.push([channel, typeof body === 'string' ? body : JSON.stringify(body)]);
    this.#publishSoon();
  }

  #publishAll(): void {
    const publications = this.#publications;
    this.#publications = [];
    if (!this.#connected) return;
    const batch = new CommandBatch(this.#connected.command);
    for (const [channel, text] of publications) batch.publish(channel, text);
    void batch.send();
  }

  /** Reads which epoch the database is in, as it is noted here. */
  lookForEpoch(): void {
    this.#epochWatch?.look();
  }

  /** Takes what came on the own channel. @returns whether it was an echo */
  takeEcho(bytes: Buffer): boolean {
    return this.#echo?.onPublication(bytes) === true;
  }

  createWriter(
    onFailed: (requests: readonly CoreRequest[], failure: WriteFailure) => void,
  ): RequestWriter<CoreRequest> {
    const { service, metrics, traces, names, node, signatures, fields } = this.#options;
    const { command, clock } = this.#connection();
    const { config, log } = service;
    const { onWritten } = metrics.redis;
    const onTracedWritten = (ms: number, requests: readonly CoreRequest[]) => {
      onWritten(ms);
      traces?.written(ms, requests);
    };
    return createRequestWriter<CoreRequest>({
      redis: command,
      clock,
      names,
      node,
      deadlineMs: config.REQUEST_DEADLINE_MS,
      requestsMax: requestsPerEntryMax,
      entriesMax: config.REQUESTS_WAITING_MAX,
      bytesMax: config.REQUESTS_WAITING_BYTES_MAX,
      onRoundTrip: traces ? onTracedWritten : onWritten,
      signatures,
      onFailed(requests, failure, reason) {
        const see = `docs/runbook.md#${failure === 'full' ? 'streambacklog' : 'redisaway'}`;
        log.warn(
          { requests: requests.length, failure, reason, ...fields, see },
          'writing requests to Redis failed',
        );
        if (failure === 'full') metrics.requestsShed.inc({ cause: `stream ${reason}` }, requests.length);
        metrics.requestWritesFailed.inc({ reason: failure }, requests.length);
        onFailed(requests, failure);
      },
    });
  }

  /**
   * What is written again while no answer is received is written once more when one is, and so is what is written before the
   * connection says that it is ready. Two cores that have the same sends at the same time wait for each other, and one of them
   * may have to run its batch again, with the sends of others.
   */
  #onWritable(owner: ShardOwner): void {
    if (!this.#isDeaf && !this.#isMute) owner.onWritable(this);
  }

  #connection(): Connected {
    if (!this.#connected) throw new Error('this Redis is not connected yet');
    return this.#connected;
  }

  async #connect(role: ConnectionRole, signatures?: Signatures): Promise<Redis> {
    const { url, node, service, health } = this.#options;
    const { config, log, lifecycle } = service;
    health.check(`redis ${role}`, () => 'not connected');
    const redis = await connectRedis(url, {
      role,
      name: `gateway-${role}-${node}`,
      log,
      signal: lifecycle.stopping,
      isPatient: true,
      caFile: config.REDIS_CA_FILE,
      signatures,
    });
    this.#clients.push(redis);
    health.check(`redis ${role}`, () => redis.status === 'ready' || 'not connected');
    return redis;
  }

  #startEcho(owner: ShardOwner, channel: string): Echo {
    const { service, names, metrics, signatures, health, fields } = this.#options;
    const { command, subscriber } = this.#connection();
    return startEcho({
      redis: command,
      stream: names.echo,
      channel,
      part: health.part('bus'),
      onSilence: () => {
        const silenceMs = this.#echo?.silenceMs();
        const see = 'docs/runbook.md#redisaway';
        service.log.warn({ silenceMs, ...fields, see }, 'no echo: the connections to Redis are made again');
        reconnect(subscriber);
        reconnect(command);
      },
      onAccepted: ({ isWrongServer }) => {
        // The command connection has found a server that takes writes; the other may still be at the one before.
        if (isWrongServer) reconnect(subscriber);
        this.#onWritable(owner);
      },
      silenceMaxMs: service.config.BUS_SILENCE_MS,
      onRoundTrip: metrics.redis.onWritten,
      onRefused: (code) => metrics.redis.onRefused(code, this.index),
      signatures,
    });
  }

  #close(): void {
    this.#echo?.close();
    this.#epochWatch?.stop();
    this.#connected?.clock.close();
    for (const redis of this.#clients) redis.disconnect();
  }
}
