import { connectAnew, Subscriptions, startEcho } from '@hooligram/bus';
import type { ServiceContext } from '@hooligram/service';
import type { coreConfig } from './config.ts';
import type { JobMetrics } from './retries/metrics.ts';
import type { RedeliveryReplies } from './retries/redelivery-replies.ts';
import type { Stores } from './stores.ts';

/** A connection to Redis that brings no echo for so long is replaced. */
const busSilenceMaxMs = 15_000;

type Receive = (bytes: Buffer) => boolean;

/**
 * Subscribes to this core's own channel, on which gateways reply to redelivery requests, and proves with echoes on it
 * that the way to Redis and back works. From then on that is a condition of readiness.
 *
 * @param channel of this core alone
 * @returns when the first echo has come back
 */
export async function openOwnChannel(
  service: ServiceContext<typeof coreConfig>,
  { redis, names }: Stores,
  { channel, replies, metrics }: { channel: string; replies: RedeliveryReplies; metrics: JobMetrics },
): Promise<void> {
  const { log, lifecycle } = service;
  // Nothing is published on the channel before the first echo is sent, and that needs the subscription.
  const receivers: Receive[] = [];
  const subscriptions = new Subscriptions({
    redis: redis.subscriber,
    part: lifecycle.part('subscriptions'),
    onPublication: (_, bytes) => void receivers.some((receive) => receive(bytes)),
    onResubscribed() {},
  });
  await subscriptions.acquire(channel);
  lifecycle.onClose('own channel', () => subscriptions.close());
  const echo = startEcho({
    redis: redis.command,
    stream: names.echo,
    channel,
    part: lifecycle.part('bus'),
    onSilence() {
      log.warn('no echo came back from Redis; connecting again');
      for (const connection of [redis.command, redis.subscriber]) connectAnew(connection);
    },
    onAccepted({ isWrongServer }) {
      // The command connection has found a server that takes writes; the subscriber may still be at the old one.
      if (isWrongServer) connectAnew(redis.subscriber);
    },
    silenceMaxMs: busSilenceMaxMs,
  });
  receivers.push((bytes) => echo.onPublication(bytes));
  receivers.push((bytes) => {
    try {
      replies.receive(bytes);
    } catch (error) {
      metrics.redeliveryRepliesUnreadable.inc();
      log.warn({ reason: String(error) }, 'unreadable redelivery reply');
    }
    return true;
  });
  lifecycle.onClose('echo', () => echo.close());
  lifecycle.check('bus', () => echo.check());
  await echo.first;
}
