import { randomUUID } from 'node:crypto';
import {
  type ConnectionRole,
  connectAnew,
  connectRedis,
  createNames,
  createRequestWriter,
  type Echo,
  Subscriptions,
  startEcho,
  startRedisClock,
} from '@hooligram/bus';
import { type CoreRequest, UnreadableError } from '@hooligram/contract';
import { type ServiceContext, untilWorks } from '@hooligram/service';
import type { gatewayConfig } from './config.ts';
import type { GatewayContext } from './context.ts';
import { type CoreClient, createCoreClient } from './core-client.ts';
import { createCursors } from './cursors.ts';
import { Groups } from './groups.ts';
import { createLag } from './lag.ts';
import { createGatewayMetrics } from './metrics.ts';
import { People } from './people.ts';
import { receive } from './publications.ts';
import { raiseMembers } from './raise-member.ts';
import { Receipts } from './receipts.ts';
import { resync } from './resync.ts';
import { createUnreadable } from './unreadable.ts';

/** Requests in one stream entry; what is more in one event-loop turn goes into the next entry. */
const requestsPerEntryMax = 500;

/**
 * Connects this gateway with the others and with the cores, and makes the context that everything here uses.
 *
 * The node's name is new and random at every start: a late answer to an earlier process of this gateway must
 * not reach a stranger.
 */
export async function connectBackplane(
  service: ServiceContext<typeof gatewayConfig>,
  publish: GatewayContext['publish'],
): Promise<GatewayContext> {
  const { config, log, lifecycle } = service;
  const node = randomUUID();
  const names = createNames(config.REDIS_PREFIX);
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
  const cursors = createCursors({ core, everyMs: config.CURSOR_FLUSH_MS });
  lifecycle.onClose('cursors', () => cursors.close());

  let echo: Echo | undefined;
  const ownChannel = names.gateway(node);
  function onStreamLost(bytes: Buffer): void {
    if (bytes.toString() !== 'lost') throw new UnreadableError('not known here');
    core.repeatAll();
  }
  const subscriptions = new Subscriptions({
    redis: subscriber,
    part: lifecycle.part('subscriptions'),
    onPublication(channel, bytes) {
      try {
        if (channel === names.gateways) onStreamLost(bytes);
        else if (channel !== ownChannel) receive(context, bytes);
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
  const people = new People(names, subscriptions);
  const lag = createLag({
    core,
    people,
    deadlineMs: config.DELIVERY_ACK_DEADLINE_MS,
    onStored: (cursors) => raiseMembers(context, cursors),
  });
  lifecycle.onClose('lag', () => lag.close());
  const context: GatewayContext = {
    config,
    log,
    metrics,
    core,
    people,
    groups: new Groups(names, subscriptions),
    receipts: new Receipts(),
    cursors,
    lag,
    publish,
    tell: (channel, body) => void command.publish(channel, JSON.stringify(body)).catch(() => {}),
  };
  const unreadable = createUnreadable(context, names);
  lifecycle.onClose('unreadable publications', () => unreadable.close());
  await Promise.all([subscriptions.acquire(ownChannel), subscriptions.acquire(names.gateways)]);
  echo = proveBus();
  await echo.first;
  return context;

  function proveBus(): Echo {
    const started = startEcho({
      redis: command,
      stream: names.echo,
      channel: ownChannel,
      part: lifecycle.part('bus'),
      onSilence() {
        log.warn({ silenceMs: started.silenceMs() }, 'no echo, connecting anew');
        connectAnew(subscriber);
        connectAnew(command);
      },
      onAccepted({ isWrongServer }) {
        // The command connection has found a server that takes writes; the other may still be at the one before.
        if (isWrongServer) connectAnew(subscriber);
        core.repeatAll();
      },
      silenceMaxMs: config.BUS_SILENCE_MS,
    });
    lifecycle.onClose('echo', () => started.close());
    lifecycle.check('bus', started.check);
    return started;
  }
}
