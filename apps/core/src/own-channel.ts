import { EventEmitter } from 'node:events';
import { reconnect, Subscriptions, startEcho } from '@hooligram/bus';
import type { CoreMetrics } from './metrics.ts';
import { createNodeCalls } from './node-calls.ts';
import type { Shard } from './shards/shard.ts';
import type { Stores } from './stores.ts';

/** A connection to Redis that brings no echo for so long is replaced. */
const busSilenceMaxMs = 15_000;
const see = 'docs/security.md#signing-what-goes-through-redis';

/**
 * Subscribes on one Redis to this core's own channel, on which gateways reply to redelivery requests, and to that of all nodes, on
 * which operators ask; and proves with echoes on the first that the way to Redis and back works. From then on that is a condition of readiness.
 *
 * @param consumer the name of this process among the cores
 * @param onReply receives whatever is published there and is no echo
 * @returns when the first echo has come back
 */
export async function openOwnChannel(
  { index, service, redis, names: keys }: Shard,
  { names, signatures }: Pick<Stores, 'names' | 'signatures'>,
  consumer: string,
  onReply: (bytes: Buffer) => void,
  metrics: Pick<CoreMetrics, 'redis' | 'signaturesRefused'>,
): Promise<void> {
  const { log, lifecycle } = service;
  const channel = names.core(consumer);
  const onNodeCall = createNodeCalls(service, { command: redis.command, names, signatures }, consumer);
  // Nothing is published on the channel before the first echo is sent, and that needs the subscription.
  const received = new EventEmitter<{ publication: [bytes: Buffer] }>();
  const subscriptions = new Subscriptions({
    redis: redis.subscriber,
    part: lifecycle.part('subscriptions'),
    onPublication(from, bytes) {
      if (from === names.nodes) onNodeCall(bytes);
      else received.emit('publication', bytes);
    },
    onResubscribed() {},
    signing: signatures && {
      signatures,
      onRefused() {
        metrics.signaturesRefused.inc({ what: 'publication' });
        log.error({ see }, 'a publication is not signed with a key that is known here');
      },
    },
  });
  await Promise.all([subscriptions.acquire(channel), subscriptions.acquire(names.nodes)]);
  lifecycle.onClose('own channel', () => subscriptions.close());
  const echo = startEcho({
    redis: redis.command,
    stream: keys.echo,
    channel,
    part: lifecycle.part('bus'),
    onSilence() {
      log.warn({ see: 'docs/runbook.md#redisaway' }, 'no echo came back from Redis; connecting again');
      for (const connection of [redis.command, redis.subscriber]) reconnect(connection);
    },
    onAccepted({ isWrongServer }) {
      // The command connection has found a server that takes writes; the subscriber may still be at the old one.
      if (isWrongServer) reconnect(redis.subscriber);
    },
    silenceMaxMs: busSilenceMaxMs,
    onRoundTrip: metrics.redis.onWritten,
    onRefused: (code) => metrics.redis.onRefused(code, index),
    signatures,
  });
  received.on('publication', (bytes) => {
    if (!echo.onPublication(bytes)) onReply(bytes);
  });
  lifecycle.onClose('echo', () => echo.close());
  lifecycle.check('bus', () => echo.check());
  await echo.first;
}
