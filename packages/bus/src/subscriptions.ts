import type { Redis } from 'ioredis';
import { oncePerTick } from './once-per-tick.ts';
import { type BusPart, createGrowingPause } from './pause.ts';
import { reasonOf } from './refusal.ts';
import type { Signatures } from './signatures.ts';

/** A call with more arguments than the stack has room for would end the process. */
const channelsPerCommand = 1_000;

type Channel = {
  holders: number;
  listening: Promise<void>;
  confirm(): void;
};

/** What every confirmed channel shares: there are as many of them as users and groups. */
const confirmed = Promise.resolve();
const nothing = () => {};

/**
 * Counts the holders of each channel of one subscriber connection. Presence is the subscription: there is no
 * registry that could go stale, Redis forgets a dead process by itself.
 *
 * Guarantee: `acquire` resolves when Redis has confirmed the subscription, also for a second holder who comes
 * while the first one still waits, or when all of them have released it before. What is published after that is received, at most once. What is
 * published while the connection is broken is lost; `onResubscribed` says when to look for it.
 *
 * Commands of one event-loop tick leave as one UNSUBSCRIBE and one SUBSCRIBE, in that order: a channel that is
 * released and acquired again within a tick ends up subscribed.
 */
export class Subscriptions {
  readonly #redis: Redis;
  readonly #part: BusPart;
  readonly #pause = createGrowingPause();
  readonly #channels = new Map<string, Channel>();
  readonly #toSubscribe = new Set<string>();
  readonly #toUnsubscribe = new Set<string>();
  readonly #onResubscribed: () => void;
  readonly #flushSoon = oncePerTick(() => this.#flush());
  #isRetrying = false;
  #isNewConnection = false;
  #closed = false;

  constructor({
    redis,
    part,
    onPublication,
    onResubscribed,
    signing,
  }: {
    redis: Redis;
    part: BusPart;
    onPublication(channel: string, bytes: Buffer): void;
    onResubscribed(): void;
    /** Checks what is received. `onRefused` is told of what is not to be believed, and `onPublication` is not. */
    signing?: { readonly signatures: Signatures; onRefused(channel: string): void } | undefined;
  }) {
    this.#redis = redis;
    this.#part = part;
    this.#onResubscribed = onResubscribed;
    const receive = signing
      ? (channel: string, bytes: Buffer) => {
          const publication = signing.signatures.openPublication(channel, bytes);
          if (publication) onPublication(channel, publication);
          else signing.onRefused(channel);
        }
      : onPublication;
    redis.on('messageBuffer', (channel: Buffer, bytes: Buffer) => {
      receive(channel.toString(), bytes);
    });
    redis.on('ready', () => this.#reconnected());
  }

  acquire(name: string): Promise<void> {
    const held = this.#channels.get(name);
    if (held) {
      held.holders += 1;
      return held.listening;
    }
    let confirm = nothing;
    const listening = new Promise<void>((resolve) => {
      confirm = resolve;
    });
    this.#channels.set(name, { holders: 1, listening, confirm });
    this.#toSubscribe.add(name);
    this.#flushSoon();
    return listening;
  }

  release(name: string): void {
    const held = this.#channels.get(name);
    if (!held) return;
    held.holders -= 1;
    if (held.holders > 0) return;
    this.#channels.delete(name);
    // Nobody else ends the wait of those who have left meanwhile.
    held.confirm();
    if (!this.#toSubscribe.delete(name)) this.#toUnsubscribe.add(name);
    this.#flushSoon();
  }

  close(): void {
    this.#closed = true;
    this.#pause.end();
    this.#redis.disconnect();
  }

  #flush(): void {
    if (this.#closed || this.#redis.status !== 'ready') return;
    const unsubscribe = [...this.#toUnsubscribe];
    const subscribe = [...this.#toSubscribe];
    this.#toUnsubscribe.clear();
    this.#toSubscribe.clear();
    // A failure means a broken connection, and with it the subscription is gone too.
    for (const some of chunks(unsubscribe)) this.#redis.unsubscribe(...some).catch(() => {});
    for (const [index, some] of chunks(subscribe).entries()) {
      const isLast = (index + 1) * channelsPerCommand >= subscribe.length;
      this.#subscribe(some, this.#isNewConnection && isLast);
    }
    this.#isNewConnection = false;
  }

  #subscribe(names: readonly string[], isAgain: boolean): void {
    const wanted = names.map((name) => [name, this.#channels.get(name)] as const);
    this.#redis.subscribe(...names).then(
      () => {
        for (const [, channel] of wanted) {
          if (!channel) continue;
          channel.confirm();
          channel.confirm = nothing;
          channel.listening = confirmed;
        }
        this.#pause.reset();
        this.#part.works();
        // Not before: what is looked for must not be published between the look and the subscription.
        if (isAgain) this.#onResubscribed();
      },
      (error: Error) => {
        this.#part.failed(reasonOf(error));
        for (const [name, channel] of wanted) {
          if (channel && this.#channels.get(name) === channel) this.#toSubscribe.add(name);
        }
        this.#isNewConnection ||= isAgain;
        this.#retry();
      },
    );
  }

  /** Later, because Redis may have refused it, and would at once again. A new connection does not wait for that. */
  #retry(): void {
    if (this.#isRetrying || this.#redis.status !== 'ready') return;
    this.#isRetrying = true;
    void this.#pause.wait().then(() => {
      this.#isRetrying = false;
      this.#flushSoon();
    });
  }

  /** A new connection listens to nothing yet. */
  #reconnected(): void {
    this.#toUnsubscribe.clear();
    for (const name of this.#channels.keys()) this.#toSubscribe.add(name);
    this.#isNewConnection = true;
    this.#flushSoon();
  }
}

function chunks(names: readonly string[]): string[][] {
  const count = Math.ceil(names.length / channelsPerCommand);
  return Array.from({ length: count }, (_, index) =>
    names.slice(index * channelsPerCommand, (index + 1) * channelsPerCommand),
  );
}
