import type { Random } from '../random.ts';
import type { Ledger } from '../verdict/ledger.ts';
import { createGroup, sendMessage } from './acts.ts';
import { now } from './clock.ts';
import { Device } from './device.ts';

const everyMs = 100;
const unansweredMax = 50;
const pauseCapMs = 1_000;

/** From one gateway to the next: a message every tenth of a second, and when it came across. */
type Link = {
  readonly from: Device;
  readonly to: Device;
  groupId: number;
  /** Of the newest message that came across: when it was made. */
  newestMadeAt: number;
  lastHeardAt: number;
  longestSilenceMs: number;
};

/**
 * People on every gateway, each of whom writes to one on the next: the service is there when a new message
 * crosses each of these links.
 */
export class Probe {
  readonly devices: readonly Device[];
  readonly #links: Link[];
  readonly #ledger: Ledger;
  readonly #madeAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(ledger: Ledger, ownUrls: readonly string[], random: Random) {
    this.#ledger = ledger;
    const urls = ownUrls.length > 1 ? ownUrls : [...ownUrls, ...ownUrls];
    this.devices = urls.map((url, i) => {
      const sid = `888.${10_080_000_000 + i}`;
      const onDelivery = ({ content }: { content: string }) => this.#heard(sid, content);
      return new Device({ sid, name: `${sid}#1`, urls: [url], ledger, random, pauseCapMs, onDelivery });
    });
    this.#links = this.devices.map((from, i) => ({
      from,
      to: this.devices[(i + 1) % this.devices.length] as Device,
      groupId: 0,
      newestMadeAt: 0,
      lastHeardAt: now(),
      longestSilenceMs: 0,
    }));
  }

  async start(): Promise<void> {
    for (const link of this.#links) {
      const answer = await createGroup(this.#ledger, link.from, '', [link.from.sid, link.to.sid]);
      if (!answer.ok || answer.groupId === undefined) throw new Error('a probe has no group');
      link.groupId = answer.groupId;
      link.lastHeardAt = now();
    }
    this.#timer = setInterval(() => this.#send(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether a message that was made after that moment has crossed every link. */
  hasCrossedSince(moment: number): boolean {
    return this.#links.every(({ newestMadeAt }) => newestMadeAt > moment);
  }

  /** For how long some link has brought nothing. */
  silenceMs(): number {
    return now() - Math.min(...this.#links.map(({ lastHeardAt }) => lastHeardAt));
  }

  /** The longest time without a message on any link, since the last call. */
  takeLongestSilence(): number {
    const at = now();
    const longest = this.#links.map((link) => Math.max(link.longestSilenceMs, at - link.lastHeardAt));
    for (const link of this.#links) link.longestSilenceMs = 0;
    return Math.max(...longest);
  }

  #send(): void {
    for (const { from, to, groupId } of this.#links) {
      if (from.outbox.size >= unansweredMax) continue;
      this.#count += 1;
      const content = `probe ${this.#count} to ${to.sid}`;
      this.#madeAt.set(content, now());
      void sendMessage(this.#ledger, from, groupId, content);
    }
  }

  #heard(sid: string, content: string): void {
    const madeAt = this.#madeAt.get(content);
    const link = this.#links.find(({ to }) => to.sid === sid);
    if (madeAt === undefined || !link || !content.endsWith(sid)) return;
    const at = now();
    link.longestSilenceMs = Math.max(link.longestSilenceMs, at - link.lastHeardAt);
    link.lastHeardAt = at;
    link.newestMadeAt = Math.max(link.newestMadeAt, madeAt);
  }
}
