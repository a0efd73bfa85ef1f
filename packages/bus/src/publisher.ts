import type { Redis } from 'ioredis';
import type { BusLog } from './connection.ts';
import { oncePerTick } from './once-per-tick.ts';
import { PieceCutter } from './pieces.ts';
import { reasonOf } from './refusal.ts';

/** Most bytes of one publication of answers; a larger answer is published in pieces. */
const publicationBytesMax = 256 * 1_024;

/** So much of what may be large is encoded in one event-loop tick: a millisecond or two. */
const sliceBytesMax = 128 * 1_024;

/** No answer is larger: what grows with somebody's data is answered in pages. */
const answerBytesMax = 16 * 1_024 * 1_024;

/**
 * Gathers what one event-loop tick publishes, and sends it as one pipeline: publications, then answers, then XDEL and
 * XACK.
 *
 * Answers that may be large leave behind all else, and not more of them in a tick than take a moment to encode: messages
 * and other answers do not wait for them, neither here nor on the connection.
 *
 * Guarantee: an entry is acknowledged only behind the publications and answers that were given before it. When
 * the pipeline breaks, entries whose acknowledgement did not arrive stay pending, and a later claim publishes all of
 * it again. XDEL goes before XACK: the other way round, a break between the two would leave an entry in the stream that
 * no consumer owns. An answer that is too large, or cannot be encoded, is replaced alone.
 */
export class Publisher {
  readonly #options: Options;
  readonly #flushSoon = oncePerTick(() => this.#flush());
  readonly #publicationBytesMax: number;
  readonly #cutter: PieceCutter;
  readonly #sending = new Set<Promise<void>>();
  #publications: [channel: string, payload: string][] = [];
  #answers = new Map<string, Encoded[]>();
  #finished: string[] = [];
  /** What may be large, in its order, and the entries that were finished behind it. */
  #behind: Behind[] = [];
  /** How many of those were given so far, and taken. */
  #behindGiven = 0;
  #behindTaken = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#publicationBytesMax = options.publicationBytesMax ?? publicationBytesMax;
    this.#cutter = new PieceCutter(this.#publicationBytesMax);
  }

  /** Publishes on a channel. */
  publish(channel: string, payload: string): void {
    this.#publications.push([channel, payload]);
    this.#flushSoon();
  }

  /** Sends one answer to a gateway; the answers of one tick for the same gateway travel together. */
  answer(node: string, answer: object): void {
    this.#encodeInto(this.#answers, node, answer);
    this.#flushSoon();
  }

  /** Sends one answer that may be large. It is encoded when it is its turn: it must not change any more. */
  answerBehind(node: string, answer: object): void {
    this.#giveBehind({ node, answer });
  }

  /** The entry has been answered: it leaves the stream. */
  finish(entryId: string): void {
    if (this.#behind.length > 0) this.#giveBehind({ finished: entryId });
    else this.#finished.push(entryId);
    this.#flushSoon();
  }

  /** Resolves when all that was given so far has been sent, or has failed. */
  async flushed(): Promise<void> {
    const given = this.#behindGiven;
    // The flush of a tick comes before.
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#behindTaken < given);
    await Promise.all(this.#sending);
  }

  /** @returns its bytes */
  #encodeInto(answers: Map<string, Encoded[]>, node: string, answer: object): number {
    const text = this.#encode(answer);
    const encoded = { text, bytes: Buffer.byteLength(text) };
    const ofNode = answers.get(node);
    if (ofNode) ofNode.push(encoded);
    else answers.set(node, [encoded]);
    return encoded.bytes;
  }

  #giveBehind(behind: Behind): void {
    this.#behind.push(behind);
    this.#behindGiven += 1;
    this.#flushSoon();
  }

  /** Takes as much of what may be large as may leave now, and what was finished behind it. */
  #takeBehind(): Map<string, Encoded[]> {
    const large = new Map<string, Encoded[]>();
    let taken = 0;
    for (let bytes = 0; taken < this.#behind.length && bytes < sliceBytesMax; taken += 1) {
      const next = this.#behind[taken] as Behind;
      if ('finished' in next) this.#finished.push(next.finished);
      else bytes += this.#encodeInto(large, next.node, next.answer);
    }
    this.#behindTaken += taken;
    this.#behind.splice(0, taken);
    if (this.#behind.length > 0) this.#flushSoon();
    return large;
  }

  #flush(): void {
    const large = this.#takeBehind();
    const { redis, stream, group, channelOf, log } = this.#options;
    const pipeline = redis.pipeline();
    for (const [channel, payload] of this.#publications) pipeline.publish(channel, payload);
    for (const [node, answers] of [...this.#answers, ...large]) {
      for (const payload of this.#publicationsOf(answers)) pipeline.publish(channelOf(node), payload);
    }
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

  /** JSON lists of answers, none larger than a publication may be, and pieces of those that are larger alone. */
  #publicationsOf(answers: readonly Encoded[]): (string | Buffer)[] {
    const bytesMax = this.#publicationBytesMax;
    const publications: (string | Buffer)[] = [];
    let together: string[] = [];
    let size = 0;
    const close = () => {
      if (together.length > 0) publications.push(`[${together.join()}]`);
      together = [];
      size = 0;
    };
    for (const { text, bytes } of answers) {
      if (size + bytes > bytesMax) close();
      if (bytes > bytesMax) publications.push(...this.#cutter.cut(`[${text}]`));
      else {
        together.push(text);
        size += bytes;
      }
    }
    close();
    return publications;
  }

  #encode(answer: object): string {
    const { log, refuse } = this.#options;
    try {
      const text = JSON.stringify(answer);
      // No character is less than a byte.
      if (text.length <= answerBytesMax) return text;
      log.error({ characters: text.length }, 'an answer is too large');
    } catch (error) {
      // Node's text says what was wrong with the string, and quotes none of it.
      log.error({ reason: (error as Error).message }, 'an answer cannot be encoded');
    }
    return JSON.stringify(refuse(answer));
  }
}

type Encoded = { readonly text: string; readonly bytes: number };

type Behind = { readonly node: string; readonly answer: object } | { readonly finished: string };

type Options = {
  redis: Redis;
  stream: string;
  group: string;
  /** The channel of a gateway's answers. */
  channelOf(node: string): string;
  /** What is answered in place of an answer that cannot be sent. */
  refuse(answer: object): object;
  log: BusLog;
  publicationBytesMax?: number;
};
