import { randomUUID } from 'node:crypto';
import type { BusLog, BusPart } from '@hooligram/bus';
import { Subscriptions } from '@hooligram/bus';
import { readRedeliveryAcknowledged } from '@hooligram/contract';
import type { Redis } from 'ioredis';
import type { NudgeEnd } from './metrics.ts';

export type Confirmations = {
  /** Where they are awaited. */
  readonly channel: string;
  /**
   * Tells and waits.
   * @param tell publishes with this token; resolves with how many heard
   */
  ask(tell: (token: string) => Promise<number>, timeoutMs: number): Promise<NudgeEnd>;
  close(): void;
};

/**
 * Hears what gateways confirm, on this core's own channel.
 *
 * Guarantee: `confirmed` means that a gateway which holds the person has done what was asked before it said so.
 * The others mean nothing but that: a confirmation can be lost.
 */
export async function listenForConfirmations({
  subscriber,
  channel,
  part,
  isEcho,
  onUnreadable,
  log,
}: {
  subscriber: Redis;
  channel: string;
  part: BusPart;
  /** Takes what this core publishes on the channel itself. */
  isEcho(bytes: Buffer): boolean;
  /** Hears of what was published there and is no confirmation. */
  onUnreadable(): void;
  log: BusLog;
}): Promise<Confirmations> {
  const asked = new Map<string, () => void>();
  const subscriptions = new Subscriptions({
    redis: subscriber,
    part,
    onPublication(_, bytes) {
      if (isEcho(bytes)) return;
      try {
        asked.get(readRedeliveryAcknowledged(bytes).token)?.();
      } catch (error) {
        onUnreadable();
        log.warn({ reason: String(error) }, 'unreadable confirmation');
      }
    },
    onResubscribed() {},
  });
  await subscriptions.acquire(channel);

  return {
    channel,
    async ask(tell, timeoutMs) {
      const token = randomUUID();
      let timer: NodeJS.Timeout | undefined;
      // Expected before it is told: the confirmation may come first.
      const heard = new Promise<NudgeEnd>((resolve) => {
        asked.set(token, () => resolve('confirmed'));
        timer = setTimeout(() => resolve('unconfirmed'), timeoutMs);
      });
      try {
        return (await tell(token)) === 0 ? 'nobody' : await heard;
      } finally {
        clearTimeout(timer);
        asked.delete(token);
      }
    },
    close: () => subscriptions.close(),
  };
}
