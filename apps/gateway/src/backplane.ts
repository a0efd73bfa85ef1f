import { randomUUID } from 'node:crypto';
import {
  type ConnectionRole,
  connectRedis,
  createNames,
  createRequestWriter,
  Subscriptions,
} from '@hooligram/bus';
import { type CoreRequest, decodePublication } from '@hooligram/contract';
import type { ServiceContext } from '@hooligram/service';
import type { gatewayConfig } from './config.ts';
import type { GatewayContext } from './context.ts';
import { type CoreClient, createCoreClient } from './core-client.ts';
import { createCursors } from './cursors.ts';
import { Groups } from './groups.ts';
import { createGatewayMetrics } from './metrics.ts';
import { People } from './people.ts';
import { Receipts } from './receipts.ts';
import { openGroups } from './replay.ts';

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
  const connect = async (role: ConnectionRole) => {
    const redis = await connectRedis(config.REDIS_URL, { role, name: `gateway-${role}-${node}`, log });
    lifecycle.onClose(`redis ${role}`, () => redis.disconnect());
    lifecycle.check(`redis ${role}`, () => redis.status === 'ready' || 'not connected');
    return redis;
  };
  const [command, subscriber] = await Promise.all([connect('command'), connect('subscriber')]);

  const core: CoreClient = createCoreClient({
    patienceMs: config.REQUEST_PATIENCE_MS,
    writer: createRequestWriter<CoreRequest>({
      redis: command,
      stream: names.requests,
      node,
      deadlineMs: config.REQUEST_DEADLINE_MS,
      requestsMax: requestsPerEntryMax,
      onFailed: (requests, error, isCertain) => {
        log.warn({ requests: requests.length, isCertain, reason: error.message }, 'asking the core failed');
        core.onWriteFailed(requests, isCertain);
      },
    }),
  });
  lifecycle.onClose('requests', () => core.close());
  const cursors = createCursors({ core, everyMs: config.CURSOR_FLUSH_MS });
  lifecycle.onClose('cursors', () => cursors.close());

  const ownChannel = names.gateway(node);
  const subscriptions = new Subscriptions({
    redis: subscriber,
    log,
    onPublication(channel, bytes) {
      if (channel === ownChannel) core.onAnswers(bytes);
      else receive(context, bytes);
    },
    onResubscribed() {
      for (const group of context.groups.all()) void group.fetch();
    },
  });
  const context: GatewayContext = {
    config,
    log,
    metrics: createGatewayMetrics(service.metrics),
    core,
    people: new People(names, subscriptions),
    groups: new Groups(names, subscriptions),
    receipts: new Receipts(),
    cursors,
    publish,
  };
  await subscriptions.acquire(ownChannel);
  return context;
}

/** Takes what was published about a group, or to a person about a group. */
function receive(context: GatewayContext, bytes: Buffer): void {
  const publication = decodePublication(bytes);
  if (!publication) return;
  if (publication.kind === 'message') {
    const { group_id, version, seq, message_id, frame } = publication;
    context.groups.find(group_id)?.receive(version, seq, message_id, frame);
    return;
  }
  const { state } = publication;
  context.groups.find(state.group_id)?.apply(state);
  // Nobody here may hold the group yet: its first members hear of it on their own channels.
  for (const [userId] of state.members) {
    for (const session of context.people.sessionsOf(userId)) {
      if (session.attachments.has(state.group_id)) continue;
      void openGroups(context, session, [state.group_id], [state.version_seq]);
    }
  }
}
