import { randomUUID } from 'node:crypto';
import { readRedeliveryAcknowledged } from '@hooligram/contract';

/**
 * - `acknowledged`: a gateway that holds the user has written their cursors, and sends again what is owed
 * - `unanswered`: no gateway replied in time; the request or the reply can be lost
 * - `nobody`: no gateway holds the user
 */
export type RedeliveryReply = 'acknowledged' | 'unanswered' | 'nobody';

/** Matches the replies of gateways, which come on this core's own channel, with the redelivery requests that wait. */
export class RedeliveryReplies {
  readonly #waiting = new Map<string, () => void>();

  /**
   * @param publish publishes the request with this token; resolves with the number of gateways that received it
   * @throws what `publish` threw
   */
  async request(publish: (token: string) => Promise<number>, timeoutMs: number): Promise<RedeliveryReply> {
    const token = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    // Waits before it publishes: the reply may come before `publish` resolves.
    const reply = new Promise<RedeliveryReply>((resolve) => {
      this.#waiting.set(token, () => resolve('acknowledged'));
      timer = setTimeout(() => resolve('unanswered'), timeoutMs);
    });
    try {
      return (await publish(token)) === 0 ? 'nobody' : await reply;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(token);
    }
  }

  /** @throws if it is not a reply */
  receive(bytes: Buffer): void {
    this.#waiting.get(readRedeliveryAcknowledged(bytes).token)?.();
  }
}
