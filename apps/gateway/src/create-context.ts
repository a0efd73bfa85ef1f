import { randomUUID } from 'node:crypto';
import {
  type ConnectionRole,
  connectRedis,
  createNames,
  createRequestWriter,
  type Echo,
  readEpoch,
  reconnect,
  Subscriptions,
  startEcho,
  startEpochWatch,
  startRedisClock,
} from '@hooligram/bus';
import { type CoreRequest, UnreadableError } from '@hooligram/contract';
import { type ServiceContext, untilWorks } from '@hooligram/service';
import type { gatewayConfig } from './config.ts';
import type { GatewayContext } from './context.ts';
import { type CoreClient, createCoreClient } from './core/core-client.ts';
import { receive } from './core/publications.ts';
import { resync } from './core/resync.ts';
import { createUnreadable } from './core/unreadable.ts';
import { createContext } from './epoch-context.ts';
import { createGatewayMetrics } from './metrics.ts';

/** Requests in one stream entry; what is more in one event-loop turn goes into the next entry. */
const requestsPerEntryMax = 500;

export type Backplane = {
  /**
   * What knows the epoch in which the database is, as far as this gateway has heard. Sessions keep the one with which
   * they began: in another epoch the same ids and numbers may be of other groups, people and messages.
   */
  readonly context: GatewayContext;
  readonly requestsPending: number;
};

/**
 * Connects this gateway with the others and with the cores, and makes the context that everything here uses.
 *
 * The node's name is new and random at every start: a late answer to an earlier process of this gateway must
 * not reach a stranger.
 *
 * @param onEpoch the database has another epoch, and `context` is a new one. With the one from before, which hears of
 *   nothing any more, nothing can be done but to send its clients away
 */
export async function connectBackplane(
  service: ServiceContext<typeof gatewayConfig>,
  publish: GatewayContext['publish'],
  onEpoch: (before: GatewayContext, now: GatewayContext) => void,
): Promise<Backplane> {
  const { config, log, lifecycle } = service;
  const node = randomUUID();
  const names = createNames(config.REDIS_PREFIX, () => context.epoch);
  const metrics = createGatewayMetrics(service.metrics);
  const connect = async (role: ConnectionRole) => {
    const name = `gateway-${role}-${node}`;
    lifecycle.check(`redis ${role}`, () => 'not connected');
    const redis = await connectRedis(config.REDIS_URL, {
      role,
      name,
      log,
      signal: lifecycle.stopping,
      isPatient: true,
    });
    lifecycle.onClose(`redis ${role}`, () => redis.disconnect());
    lifecycle.check(`redis ${role}`, () => redis.status === 'ready' || 'not connected');
    return redis;
  };
  // One after the other: what is away is told of once.
  const command = await connect('command');
  const subscriber = await connect('subscriber');
  const clock = await untilWorks(lifecycle, 'redis clock', () => startRedisClock(command));
  lifecycle.onClose('clock', () => clock.close());

  const core: CoreClient = createCoreClient({
    repeatMs: config.REQUEST_REPEAT_MS,
    patienceMs: config.REQUEST_PATIENCE_MS,
    onRepeated: metrics.requestRepeated,
    epoch: () => context.epoch,
    onEpoch: enter,
    writer: createRequestWriter<CoreRequest>({
      redis: command,
      clock,
      stream: names.requests,
      node,
      deadlineMs: config.REQUEST_DEADLINE_MS,
      requestsMax: requestsPerEntryMax,
      entriesMax: config.REQUESTS_WAITING_MAX,
      onFailed(requests, failure, reason) {
        log.warn({ requests: requests.length, failure, reason }, 'asking the core failed');
        if (failure === 'full') metrics.requestsShed(requests.length);
        if (failure === 'refused') metrics.requestsRefused(requests.length);
        core.onWriteFailed(requests, failure);
      },
    }),
  });
  lifecycle.onClose('requests', () => core.close());
  command.on('ready', () => core.repeatAll());

  let echo: Echo | undefined;
  const ownChannel = names.gateway(node);
  const subscriptions = new Subscriptions({
    redis: subscriber,
    part: lifecycle.part('subscriptions'),
    onPublication(channel, bytes) {
      try {
        if (channel === names.gateways) onCall(bytes);
        else if (channel !== ownChannel) hear(channel, bytes);
        else if (!echo?.onPublication(bytes)) core.onAnswers(bytes);
      } catch (error) {
        unreadable.onPublication(channel, error);
      }
    },
    onResubscribed() {
      core.repeatAll();
      void resync(context);
    },
  });
  const shared = {
    config,
    log,
    metrics,
    core,
    subscriptions,
    publish,
    tell: (channel: string, body: object) =>
      void command.publish(channel, JSON.stringify(body)).catch(() => {}),
  };
  const unreadable = createUnreadable(() => context, names);
  lifecycle.onClose('unreadable publications', () => unreadable.close());
  const begun = await untilWorks(lifecycle, 'epoch of the database', () =>
    readEpoch(command, names.databaseEpoch),
  );
  let context = createContext(begun ?? 0, shared);
  lifecycle.onClose('cursors', () => context.cursors.close());
  lifecycle.onClose('lag', () => context.lag.close());
  const epochWatch = startEpochWatch(command, names.databaseEpoch, enter);
  lifecycle.onClose('epoch of the database', () => epochWatch.stop());
  await Promise.all([subscriptions.acquire(ownChannel), subscriptions.acquire(names.gateways)]);
  echo = proveBus();
  await echo.first;
  return {
    get context() {
      return context;
    },
    get requestsPending() {
      return core.pending;
    },
  };

  /** The answers to requests of all epochs, and what is heard, are of the new one from now on. */
  function enter(epoch: number): void {
    if (epoch <= context.epoch) return;
    const before = context;
    context = createContext(epoch, shared);
    onEpoch(before, context);
  }

  function hear(channel: string, bytes: Buffer): void {
    // A channel of the epoch before may be subscribed for a while.
    if (names.isOfEpoch(channel)) receive(context, bytes);
  }

  function onCall(bytes: Buffer): void {
    const call = bytes.toString();
    if (call === 'epoch') epochWatch.look();
    else if (call === 'lost') core.repeatAll();
    else throw new UnreadableError('not known here');
  }

  function proveBus(): Echo {
    const started = startEcho({
      redis: command,
      stream: names.echo,
      channel: ownChannel,
      part: lifecycle.part('bus'),
      onSilence() {
        log.warn({ silenceMs: started.silenceMs() }, 'no echo, connecting anew');
        reconnect(subscriber);
        reconnect(command);
      },
      onAccepted({ isWrongServer }) {
        // The command connection has found a server that takes writes; the other may still be at the one before.
        if (isWrongServer) reconnect(subscriber);
        core.repeatAll();
      },
      silenceMaxMs: config.BUS_SILENCE_MS,
    });
    lifecycle.onClose('echo', () => started.close());
    lifecycle.check('bus', started.check);
    return started;
  }
}
