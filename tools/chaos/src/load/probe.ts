import type { History } from '../checker/history.ts';
import type { Random } from '../random.ts';
import { Device } from './device.ts';

const everyMs = 100;
const unansweredMax = 50;
const pauseCapMs = 1_000;

/** From one gateway to the next: a message every tenth of a second, and when it arrived. */
type Link = {
  readonly from: Device;
  readonly to: Device;
  groupId: number;
  /** When the newest message that has arrived was sent. */
  newestSentAt: number;
  lastReceivedAt: number;
  longestSilenceMs: number;
};

/**
 * A user on every gateway, who sends messages to the user on the next one: the service works when a new message crosses
 * each of these links.
 */
export class Probe {
  readonly devices: readonly Device[];
  readonly #links: Link[];
  readonly #sentAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(history: History, ownUrls: readonly string[], random: Random) {
    const urls = ownUrls.length > 1 ? ownUrls : [...ownUrls, ...ownUrls];
    this.devices = urls.map((url, i) => {
      const sid = `888.${10_080_000_000 + i}`;
      const onDelivery = ({ content }: { content: string }) => this.#received(sid, content);
      return new Device({ sid, name: `${sid}#1`, urls: [url], history, random, pauseCapMs, onDelivery });
    });
    this.#links = this.devices.map((from, i) => ({
      from,
      to: this.devices[(i + 1) % this.devices.length] as Device,
      groupId: 0,
      newestSentAt: 0,
      lastReceivedAt: performance.now(),
      longestSilenceMs: 0,
    }));
  }

  async start(): Promise<void> {
    for (const link of this.#links) {
      const groupId = await link.from.outbox.createGroup('', [link.from.sid, link.to.sid]);
      if (groupId === undefined) throw new Error('a probe has no group');
      link.groupId = groupId;
      link.lastReceivedAt = performance.now();
    }
    this.#timer = setInterval(() => this.#send(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether a message that was sent after that moment has crossed every link. */
  hasCrossedSince(moment: number): boolean {
    return this.#links.every(({ newestSentAt }) => newestSentAt > moment);
  }

  /** How long ago the last message arrived, on the link where that is longest. */
  silenceMs(): number {
    return performance.now() - Math.min(...this.#links.map(({ lastReceivedAt }) => lastReceivedAt));
  }

  /** The longest time without a message on any link, since the last call. */
  takeLongestSilence(): number {
    const at = performance.now();
    const longest = this.#links.map((link) => Math.max(link.longestSilenceMs, at - link.lastReceivedAt));
    for (const link of this.#links) link.longestSilenceMs = 0;
    return Math.max(...longest);
  }

  #send(): void {
    for (const { from, to, groupId } of this.#links) {
      if (from.outbox.size >= unansweredMax) continue;
      this.#count += 1;
      const content = `probe ${this.#count} to ${to.sid}`;
      this.#sentAt.set(content, performance.now());
      void from.outbox.sendMessage(groupId, content);
    }
  }

  #received(sid: string, content: string): void {
    const sentAt = this.#sentAt.get(content);
    const link = this.#links.find(({ to }) => to.sid === sid);
    if (sentAt === undefined || !link || !content.endsWith(sid)) return;
    const at = performance.now();
    link.longestSilenceMs = Math.max(link.longestSilenceMs, at - link.lastReceivedAt);
    link.lastReceivedAt = at;
    link.newestSentAt = Math.max(link.newestSentAt, sentAt);
  }
}
