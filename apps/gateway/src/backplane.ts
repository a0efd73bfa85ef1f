import { randomUUID } from 'node:crypto';
import {
  type ConnectionRole,
  connectRedis,
  createNames,
  createRequestWriter,
  readEpoch,
  Subscriptions,
  startEcho,
  startEpochWatch,
  startRedisClock,
} from '@hooligram/bus';
import type { CoreRequest } from '@hooligram/contract';
import type { ServiceContext } from '@hooligram/service';
import type { gatewayConfig } from './config.ts';
import type { GatewayContext } from './context.ts';
import { type CoreClient, createCoreClient } from './core-client.ts';
import { createContext } from './create-context.ts';
import { createGatewayMetrics } from './metrics.ts';
import { receive } from './publications.ts';
import { resync } from './resync.ts';

/** Requests in one stream entry; what is more in one event-loop turn goes into the next entry. */
const requestsPerEntryMax = 500;

/** Without an echo for so long the node is not ready: three in a row are missing. */
const echoSilenceMaxMs = 3_500;

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
    const redis = await connectRedis(config.REDIS_URL, { role, name: `gateway-${role}-${node}`, log });
    lifecycle.onClose(`redis ${role}`, () => redis.disconnect());
    lifecycle.check(`redis ${role}`, () => redis.status === 'ready' || 'not connected');
    return redis;
  };
  const [command, subscriber] = await Promise.all([connect('command'), connect('subscriber')]);
  const clock = await startRedisClock(command);
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
        core.onWriteFailed(requests, failure);
      },
    }),
  });
  lifecycle.onClose('requests', () => core.close());
  command.on('ready', () => core.repeatAll());

  const ownChannel = names.gateway(node);
  const subscriptions = new Subscriptions({
    redis: subscriber,
    log,
    onPublication(channel, bytes) {
      if (channel === names.gateways) onCall(bytes);
      else if (channel !== ownChannel) hear(channel, bytes);
      else if (!echo.onPublication(bytes)) core.onAnswers(bytes);
    },
    onResubscribed() {
      core.repeatAll();
      void resync(context);
    },
  });
  const echo = startEcho({
    redis: command,
    channel: ownChannel,
    onSilence() {
      log.warn({ silenceMs: echo.silenceMs() }, 'no echo, connecting anew');
      subscriber.disconnect(true);
      command.disconnect(true);
    },
    silenceMaxMs: config.BUS_SILENCE_MS,
  });
  lifecycle.onClose('echo', () => echo.close());
  lifecycle.check('bus', () => {
    const silenceMs = echo.silenceMs();
    return silenceMs < echoSilenceMaxMs || `no echo for ${silenceMs} ms`;
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
    if (bytes.toString() === 'epoch') epochWatch.look();
    else core.repeatAll();
  }

  let context = createContext((await readEpoch(command, names.databaseEpoch)) ?? 0, shared);
  lifecycle.onClose('cursors', () => context.cursors.close());
  lifecycle.onClose('lag', () => context.lag.close());
  const epochWatch = startEpochWatch(command, names.databaseEpoch, enter);
  lifecycle.onClose('epoch of the database', () => epochWatch.stop());
  await Promise.all([subscriptions.acquire(ownChannel), subscriptions.acquire(names.gateways)]);
  return {
    get context() {
      return context;
    },
    get requestsPending() {
      return core.pending;
    },
  };
}
