import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { CanaryMetrics } from './metrics.ts';

type OnItsWay = {
  readonly from: string;
  readonly sentAt: number;
  /** Where it has not come yet. */
  readonly missing: Set<string>;
};

/** The messages that are on their way. Each is counted once on every path: when it comes, or when its time is over. */
export class Exchange {
  readonly #places: readonly string[];
  readonly #metrics: CanaryMetrics;
  /** Tells messages of this process from those of another canary of the same users, and from old ones. */
  readonly #run = randomUUID();
  readonly #onItsWay = new Map<string, OnItsWay>();
  #sent = 0;

  constructor(places: readonly string[], metrics: CanaryMetrics) {
    this.#places = places;
    this.#metrics = metrics;
  }

  /** @returns the text of a message that is sent now */
  begin(from: string): string {
    this.#sent += 1;
    const content = `canary ${this.#run} ${this.#sent}`;
    this.#onItsWay.set(content, { from, sentAt: performance.now(), missing: new Set(this.#places) });
    return content;
  }

  /** The sender was told that it is committed. */
  committed(content: string): void {
    const message = this.#onItsWay.get(content);
    if (!message) return;
    this.#metrics.sends.inc({ from: message.from, outcome: 'committed' });
    this.#metrics.commitSeconds.observe({ from: message.from }, secondsSince(message.sentAt));
  }

  /** The sender was not told so in time. It may come all the same. */
  failed(content: string): void {
    const message = this.#onItsWay.get(content);
    if (message) this.#metrics.sends.inc({ from: message.from, outcome: 'failed' });
  }

  /** @returns whether it is one of these, and came there for the first time, and in time */
  received(to: string, content: string): boolean {
    const message = this.#onItsWay.get(content);
    if (!message?.missing.delete(to)) return false;
    const { from, sentAt } = message;
    this.#metrics.messages.inc({ from, to, outcome: 'delivered' });
    this.#metrics.deliverySeconds.observe({ from, to }, secondsSince(sentAt));
    return true;
  }

  /** Its time is over. @returns where it did not come */
  end(content: string): readonly string[] {
    const message = this.#onItsWay.get(content);
    this.#onItsWay.delete(content);
    if (!message) return [];
    const missing = [...message.missing];
    for (const to of missing) this.#metrics.messages.inc({ from: message.from, to, outcome: 'lost' });
    return missing;
  }
}

function secondsSince(at: number): number {
  return (performance.now() - at) / 1_000;
}
