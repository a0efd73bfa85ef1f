import { setTimeout as pause } from 'node:timers/promises';
import { redisAddress, withoutPasswords } from '@hooligram/service';
import { Redis, type RedisOptions } from 'ioredis';
import { connectorToSlot } from './cluster-connector.ts';
import { slotOf, tagOf } from './cluster-tags.ts';
import { reasonOf, refusalOf } from './refusal.ts';
import { useShardedChannels } from './sharded-channels.ts';
import type { Signatures } from './signatures.ts';

/** Where the bus logs; a pino logger fits. */
export type BusLog = {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
};

/**
 * - `command`: never queues while disconnected and never sends a command again. A command whose
 *   outcome is unknown is reported as failed; the caller decides by the request's id whether to repeat it.
 * - `blocking`: waits inside Redis for stream entries; nothing else may share it.
 * - `subscriber`: holds the subscriptions. `Subscriptions` subscribes again after a reconnect; ioredis, when the
 *   connection breaks once more meanwhile, forgets them.
 */
export type ConnectionRole = 'command' | 'blocking' | 'subscriber';

const reconnectPauseMaxMs = 1_000;
/** Longer than any command here blocks, and than a stall that Redis may survive. */
const silenceMaxMs = 15_000;
/** When a client is connected again that has ended and should not have. */
const afterEndMs = 100;
/** A server that may not be written is left for another connection, not more often than this. */
const reconnectOnRefusalMs = 1_000;
const see = 'docs/runbook.md#redisaway';
/** A first connection that takes longer is logged. */
const quietMs = 2_000;

/**
 * Connects one client to Redis, and waits as long as that takes; the log says so once. From then on the client always
 * reconnects by itself. A server that refuses writes because it is the wrong one is left for a new connection, again
 * and again: the address may lead to another server by then.
 *
 * @param url see redisAddress
 * @param name shown by CLIENT LIST
 * @param signal ends the waiting
 * @param caFile certificates by which a server with TLS is known, in place of the system's
 * @param isPatient false: the first connection that fails is an error
 * @param signatures sign what is published over this connection, but by scripts
 * @returns the client, once it is ready
 * @throws Error one clear line when the url is wrong, the first connection fails, or the waiting was ended
 */
export async function connectRedis(
  url: string,
  {
    role,
    name,
    log,
    signal,
    isPatient = false,
    caFile,
    signatures,
  }: {
    role: ConnectionRole;
    name: string;
    log: BusLog;
    signal?: AbortSignal;
    isPatient?: boolean;
    caFile?: string | undefined;
    signatures?: Signatures | undefined;
  },
): Promise<Redis> {
  const address = redisAddress(url, caFile);
  const tag = address.cluster && tagOf(address.cluster.shard, address.cluster.shards);
  const redis = createClient(address.url, {
    ...address.options,
    ...(tag !== undefined && { Connector: connectorToSlot(slotOf(tag), address) }),
    lazyConnect: true,
    connectionName: name,
    keepAlive: 5_000,
    // A peer that vanished silently would keep commands waiting until TCP gives up, for many minutes.
    socketTimeout: silenceMaxMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // Commands under way when the connection breaks fail then. With null, and without resending, ioredis forgets
    // them, and their callers wait without end.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), reconnectPauseMaxMs),
  });
  // Signed is what those see who use the connections.
  if (tag !== undefined) useShardedChannels(redis, tag, () => redis.disconnect(true));
  if (signatures) signPublications(redis, signatures);
  const watch = watchConnection(redis, { connection: name, role }, log);
  const failed = (cause?: unknown) =>
    new Error(`Redis does not answer at ${withoutPasswords(url)}: ${watch.reason()} (REDIS_URL)`, { cause });
  let isWaitingLogged = false;
  const logWaiting = () => {
    if (isWaitingLogged) return;
    isWaitingLogged = true;
    log.warn({ connection: name, role, reason: failed().message, see }, 'waiting for Redis');
  };
  const logging = isPatient ? setTimeout(logWaiting, quietMs) : undefined;
  const abort = () => redis.disconnect();
  signal?.addEventListener('abort', abort);
  try {
    await redis.connect();
  } catch (error) {
    if (isPatient && !signal?.aborted) {
      logWaiting();
      if (await isReadyAtLast(redis)) return redis;
    }
    redis.disconnect();
    throw failed(error);
  } finally {
    clearTimeout(logging);
    signal?.removeEventListener('abort', abort);
  }
  return redis;
}

/**
 * Replaces a connection by a new one, without a line in the log: the break is our own.
 * `disconnect(true)` ends the writing side first, so what was sent already is answered.
 */
export function reconnect(redis: Redis): void {
  expectedBreaks.add(redis);
  redis.disconnect(true);
}

/**
 * Copies a connection for BullMQ's workers. Commands without an answer are sent again: its scripts find by the job's
 * lock what has happened already. A command that Redis refuses fails after a pause: its loops repeat at once what
 * fails at once, thousands of times a second.
 */
export function copyForWorkers(redis: Redis, connectionName: string): Redis {
  return createClient(
    undefined,
    {
      ...redis.options,
      enableOfflineQueue: true,
      autoResendUnfulfilledCommands: true,
      maxRetriesPerRequest: null,
      connectionName,
      lazyConnect: true,
    },
    1_000,
  );
}

/** Whether Redis lets this connection's user read INFO. It is nice to have, and a managed Redis may forbid it. */
export function mayReadInfo(redis: Redis): boolean {
  return !withoutInfo.has(redis);
}

/** What signs the publications of this connection; undefined if they are not signed. */
export function signaturesOf(redis: Redis): Signatures | undefined {
  return signers.get(redis);
}

/** Whether this connection left a server that may not be written, since it was asked last. */
export function hasLeftServer(redis: Redis): boolean {
  return leavers.delete(redis);
}

/** Disconnected for good, or told to quit. */
const closed = new WeakSet<Redis>();
const leavers = new WeakSet<Redis>();
const expectedBreaks = new WeakSet<Redis>();
const withoutInfo = new WeakSet<Redis>();
const signers = new WeakMap<Redis, Signatures>();

/** @param refusalPauseMs how much later a command that Redis refused fails */
function createClient(url: string | undefined, options: RedisOptions, refusalPauseMs = 0): Redis {
  let reconnectedAt = 0;
  const all: RedisOptions = {
    ...options,
    reconnectOnError(error) {
      if (!refusalOf(error)?.isWrongServer || Date.now() - reconnectedAt < reconnectOnRefusalMs) return false;
      reconnectedAt = Date.now();
      expectedBreaks.add(redis);
      leavers.add(redis);
      return true;
    },
  };
  const redis = connectTo(url, all as RedisOptions & { replyMapping: 'legacy' });
  // BullMQ makes its blocking connections by this.
  redis.duplicate = (override) => {
    // Connecting already: BullMQ gives a connection up for good whose first attempt it began itself and that failed.
    const copy = createClient(undefined, { ...all, lazyConnect: false, ...override }, refusalPauseMs);
    copy.on('error', () => {});
    return copy;
  };
  goOnUntilClosed(redis);
  if (all.sentinels) hearErrorsOfSentinels(redis);
  allowRefusedInfo(redis);
  if (refusalPauseMs > 0) delayRefusals(redis, refusalPauseMs);
  return redis;
}

/**
 * A client that asks its Sentinels for the primary, and is told meanwhile to break its connection, ends for good in ioredis:
 * when a Sentinel announces another primary, or by `reconnect`. Here it connects again, unless somebody has closed it.
 */
function goOnUntilClosed(redis: Redis): void {
  const disconnect = redis.disconnect.bind(redis);
  redis.disconnect = (again = false) => {
    if (!again) closed.add(redis);
    disconnect(again);
  };
  const quit = redis.quit.bind(redis);
  redis.quit = (callback) => {
    closed.add(redis);
    return quit(callback);
  };
  redis.on('end', () => {
    setTimeout(() => {
      if (!closed.has(redis) && redis.status === 'end') redis.connect().catch(() => {});
    }, afterEndMs);
  });
}

/** Nobody else listens on the connections on which Sentinels announce a failover: ioredis would write each error to the console. */
function hearErrorsOfSentinels(redis: Redis): void {
  const { connector } = redis as unknown as {
    connector: { connectToSentinel(...args: unknown[]): Redis };
  };
  const connect = connector.connectToSentinel.bind(connector);
  connector.connectToSentinel = (...args) => connect(...args).on('error', () => {});
}

/** ioredis asks whether Redis has loaded its data. Without the right it would warn on the console each time. */
function allowRefusedInfo(redis: Redis): void {
  const info = redis.info.bind(redis) as (...args: unknown[]) => Promise<unknown>;
  const readInfo = (...args: unknown[]) => {
    const callback = args.pop() as InfoCallback | undefined;
    if (typeof callback !== 'function') return info(...(callback === undefined ? args : [...args, callback]));
    return info((error: Error | null | undefined, text?: string) => {
      if (refusalOf(error)?.code !== 'NOPERM') return callback(error, text);
      withoutInfo.add(redis);
      callback(null, '');
    });
  };
  redis.info = readInfo as Redis['info'];
}

/**
 * At the one place that every command passes, those of pipelines too, once: such a connection sends nothing again. A
 * `CommandBatch` signs by itself.
 */
function signPublications(redis: Redis, signatures: Signatures): void {
  signers.set(redis, signatures);
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    if (command.name === 'publish') {
      const [channel, publication] = command.args as [string, string | Buffer];
      command.args[1] = signatures.signPublication(channel, publication);
    }
    return send(command, stream);
  };
}

function delayRefusals(redis: Redis, pauseMs: number): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const late = (send(command, stream) as Promise<unknown>).catch(async (error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal && refusal.code !== 'NOSCRIPT') await pause(pauseMs);
      throw error;
    });
    // Nobody waits for what ioredis itself sends again.
    late.catch(() => {});
    return late;
  };
}

function connectTo(url: string | undefined, options: RedisOptions & { replyMapping: 'legacy' }): Redis {
  return url === undefined ? new Redis(options) : new Redis(url, options);
}

type InfoCallback = (error: Error | null | undefined, text?: string) => void;

/** Logs a lost connection and a found one, a line each. */
function watchConnection(redis: Redis, fields: object, log: BusLog): { reason(): string } {
  let reason = 'no answer yet';
  let lostAt: number | undefined;
  let wasReady = false;
  redis.on('error', (error: Error) => {
    reason = reasonOf(error);
  });
  redis.on('reconnecting', () => {
    const isExpected = expectedBreaks.delete(redis);
    if (!wasReady || isExpected) return;
    wasReady = false;
    lostAt = Date.now();
    log.warn({ ...fields, reason, see }, 'Redis connection lost');
  });
  redis.on('ready', () => {
    wasReady = true;
    reason = 'Redis closed it';
    expectedBreaks.delete(redis);
    if (lostAt !== undefined)
      log.info({ ...fields, afterMs: Date.now() - lostAt, see }, 'Redis connection is back');
    lostAt = undefined;
  });
  return { reason: () => reason };
}

/** @returns false if the client was disconnected for good */
function isReadyAtLast(redis: Redis): Promise<boolean> {
  return new Promise((resolve) => {
    redis.once('ready', () => resolve(true));
    redis.on('end', () => {
      if (closed.has(redis)) resolve(false);
    });
  });
}
