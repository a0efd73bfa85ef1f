import type { Redis } from 'ioredis';
import type { BusLog } from './connection.ts';
import { oncePerTick } from './once-per-tick.ts';
import { reasonOf } from './refusal.ts';

/**
 * Gathers what one event-loop tick publishes, and sends it as one pipeline: publications, then answers, then XDEL and
 * XACK.
 *
 * Guarantee: an entry is acknowledged only behind the publications and answers that were given before it. When
 * the pipeline breaks, entries whose acknowledgement did not arrive stay pending, and a later claim publishes all of
 * it again. XDEL goes before XACK: the other way round, a break between the two would leave an entry in the
 * stream that nobody owns.
 */
export class Publisher {
  readonly #options: Options;
  readonly #flushSoon = oncePerTick(() => this.#flush());
  readonly #sending = new Set<Promise<void>>();
  #publications: [channel: string, payload: string][] = [];
  #answers = new Map<string, object[]>();
  #finished: string[] = [];

  constructor(options: Options) {
    this.#options = options;
  }

  /** Publishes on a channel. */
  publish(channel: string, payload: string): void {
    this.#publications.push([channel, payload]);
    this.#flushSoon();
  }

  /** Sends one answer to a gateway; the answers of one tick for the same gateway travel together. */
  answer(node: string, answer: object): void {
    const answers = this.#answers.get(node);
    if (answers) answers.push(answer);
    else this.#answers.set(node, [answer]);
    this.#flushSoon();
  }

  /** The entry has been answered: it leaves the stream. */
  finish(entryId: string): void {
    this.#finished.push(entryId);
    this.#flushSoon();
  }

  /** Resolves when all that was given so far has been sent, or has failed. */
  async flushed(): Promise<void> {
    // The flush of this tick comes before.
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(this.#sending);
  }

  #flush(): void {
    const { redis, stream, group, channelOf, log } = this.#options;
    const pipeline = redis.pipeline();
    for (const [channel, payload] of this.#publications) pipeline.publish(channel, payload);
    for (const [node, answers] of this.#answers) pipeline.publish(channelOf(node), JSON.stringify(answers));
    if (this.#finished.length > 0) {
      pipeline.xdel(stream, ...this.#finished);
      pipeline.xack(stream, group, ...this.#finished);
    }
    this.#publications = [];
    this.#answers = new Map();
    this.#finished = [];
    const failed = (error: unknown) =>
      log.error({ reason: reasonOf(error) }, 'publishing to gateways failed');
    const sent = pipeline.exec().then((results) => {
      const failure = results?.find(([error]) => error !== null)?.[0];
      if (failure) failed(failure);
    }, failed);
    this.#sending.add(sent);
    void sent.finally(() => this.#sending.delete(sent));
  }
}

/** `channelOf`: the channel of a gateway's answers. */
type Options = {
  redis: Redis;
  stream: string;
  group: string;
  channelOf(node: string): string;
  log: BusLog;
};
