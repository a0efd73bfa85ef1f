import type { Redis } from 'ioredis';
import { CommandBatch } from './command-batch.ts';
import type { BusLog } from './connection.ts';
import { PieceCutter } from './pieces.ts';
import { reasonOf } from './refusal.ts';

/** Most bytes of one publication of answers; a larger answer is published in pieces. */
const publicationBytesMax = 256 * 1_024;

/** So much of what may be large is encoded in one event-loop tick: a millisecond or two. */
const sliceBytesMax = 128 * 1_024;

/**
 * An entry that is finished when nothing else is about to leave waits so long for something that does: else it has a write to
 * itself, for which this process, Redis, and this process again wake up.
 */
const finishedWaitMs = 50;

/** No answer is larger: what grows with somebody's data is answered in pages. */
const answerBytesMax = 16 * 1_024 * 1_024;

/** What publishes for one process, on one Redis or on several. */
export type BusPublisher = {
  /**
   * Publishes on the channel of a group or of a user.
   * @param id of that group or user: says on which of several Redis it lives
   */
  publish(channel: string, payload: string, id: number): void;
  /** Publishes on a channel that lives on each Redis. @param shard on which one alone; default: on all */
  announce(channel: string, payload: string, shard?: number): void;
  /** Sends one answer to a gateway; the answers of one tick for the same gateway travel together. @param shard on which its request came */
  answer(node: string, answer: object, shard: number): void;
  /**
   * Sends one answer that may be large. It is encoded when it is its turn: it must not change any more.
   * @param entryId of the entry that it answers @param shard as above
   */
  answerBehind(node: string, answer: object, entryId: string, shard: number): void;
  /** How often something that was sent to a Redis has failed, or has perhaps failed. */
  failures(shard: number): number;
  /**
   * The entry has been answered: it leaves the stream. If something has failed since anything of it was given, it stays, to
   * be claimed.
   * @param since what `failures` was before that @param shard on which it came
   */
  finish(entryId: string, since: number, shard: number): void;
  /** The entries of a Redis that were finished, and wait to leave: no other process may take them over meanwhile. */
  leaving(shard: number): readonly string[];
  /**
   * Commands whose answers matter, behind what is published in this tick, in the same write.
   * @param shard on which Redis @returns their answers, texts as bytes @throws the first error among them
   */
  ask(commands: readonly (readonly string[])[], shard: number): Promise<unknown[]>;
  /** Resolves when all that was given so far, but what may be large, has been sent, or has failed. */
  published(): Promise<void>;
  /** Resolves when all that was given so far has been sent, or has failed. */
  flushed(): Promise<void>;
};

/**
 * Gathers what one event-loop tick publishes, and sends it as one batch: publications, then answers, then XDEL and
 * XACK, then what is asked. XDEL and XACK that nothing else goes with wait a moment for something that does.
 *
 * Answers that may be large leave behind all else, and not more of them in a tick than take a moment to encode: messages
 * and other answers do not wait for them, neither here nor on the connection.
 *
 * Guarantee: an entry is acknowledged only behind the publications that were given before it, and its answers. When
 * the batch breaks, entries whose acknowledgement did not arrive stay pending, and so do those that are finished later and
 * may have had something in it: a later claim publishes all of it again. XDEL goes before XACK: the other way round, a break
 * between the two would leave an entry in the stream that no consumer owns. An answer that is too large, or cannot be
 * encoded, is replaced alone.
 */
export class Publisher implements BusPublisher {
  readonly #options: Options;
  #isFlushScheduled = false;
  /** Runs while nothing but finished entries waits to leave. */
  #finishedTimer: NodeJS.Timeout | undefined;
  readonly #publicationBytesMax: number;
  readonly #cutter: PieceCutter;
  readonly #sending = new Set<Promise<void>>();
  #publications: [channel: string, payload: string][] = [];
  #answers = new Map<string, Encoded[]>();
  #finished: string[] = [];
  #asked: Asked[] = [];
  /** What may be large, in its order, and the entries that were finished behind it. */
  #behind: Behind[] = [];
  /** How many answers of an entry are among those. */
  readonly #answersBehind = new Map<string, number>();
  /** The entries that were finished behind them. */
  readonly #leaving = new Set<string>();
  /** How many of those were given so far, and taken. */
  #behindGiven = 0;
  #behindTaken = 0;
  #failures = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#publicationBytesMax = options.publicationBytesMax ?? publicationBytesMax;
    this.#cutter = new PieceCutter(this.#publicationBytesMax);
  }

  /** Whether no publication waits, and nothing is on its way. */
  get isPublished(): boolean {
    return this.#publications.length === 0 && this.#sending.size === 0;
  }

  publish(channel: string, payload: string): void {
    this.#publications.push([channel, payload]);
    this.#flushSoon();
  }

  announce(channel: string, payload: string): void {
    this.publish(channel, payload);
  }

  answer(node: string, answer: object): void {
    this.#encodeInto(this.#answers, node, answer);
    this.#flushSoon();
  }

  answerBehind(node: string, answer: object, entryId: string): void {
    this.#answersBehind.set(entryId, (this.#answersBehind.get(entryId) ?? 0) + 1);
    this.#giveBehind({ node, answer, entryId });
  }

  failures(): number {
    return this.#failures;
  }

  finish(entryId: string, since = this.#failures): void {
    if (since !== this.#failures) return;
    // Behind its own answers, not those of others.
    if (this.#answersBehind.has(entryId)) {
      this.#leaving.add(entryId);
      this.#giveBehind({ finished: entryId });
      return;
    }
    this.#finished.push(entryId);
    if (!this.#isFlushScheduled) this.#finishedTimer ??= setTimeout(() => this.#flushSoon(), finishedWaitMs);
  }

  leaving(): readonly string[] {
    return [...this.#leaving, ...this.#finished];
  }

  ask(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ commands, resolve, reject });
      this.#flushSoon();
    });
  }

  async flushed(): Promise<void> {
    const given = this.#behindGiven;
    if (this.#finished.length > 0) this.#flushSoon();
    // The flush of a tick comes before.
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#behindTaken < given);
    await Promise.all(this.#sending);
  }

  async published(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
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

  #keepUnfinished(): void {
    const kept = this.#behind.filter((behind) => !('finished' in behind));
    this.#behindTaken += this.#behind.length - kept.length;
    this.#behind = kept;
    this.#leaving.clear();
    this.#finished = [];
  }

  /** Takes as much of what may be large as may leave now, and what was finished behind it. */
  #takeBehind(): Map<string, Encoded[]> {
    const large = new Map<string, Encoded[]>();
    let taken = 0;
    for (let bytes = 0; taken < this.#behind.length && bytes < sliceBytesMax; taken += 1) {
      const next = this.#behind[taken] as Behind;
      if ('finished' in next) {
        this.#finished.push(next.finished);
        this.#leaving.delete(next.finished);
      } else {
        bytes += this.#encodeInto(large, next.node, next.answer);
        const left = (this.#answersBehind.get(next.entryId) ?? 1) - 1;
        if (left > 0) this.#answersBehind.set(next.entryId, left);
        else this.#answersBehind.delete(next.entryId);
      }
    }
    this.#behindTaken += taken;
    this.#behind.splice(0, taken);
    if (this.#behind.length > 0) this.#flushSoon();
    return large;
  }

  #flushSoon(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    clearTimeout(this.#finishedTimer);
    this.#finishedTimer = undefined;
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const large = this.#takeBehind();
    const { redis, stream, group, channelOf, log, onFailed } = this.#options;
    const batch = new CommandBatch(redis);
    for (const [channel, payload] of this.#publications) batch.publish(channel, payload);
    for (const [node, answers] of [...this.#answers, ...large]) {
      for (const payload of this.#publicationsOf(answers)) batch.publish(channelOf(node), payload);
    }
    if (this.#finished.length > 0) {
      batch.add('XDEL', stream, ...this.#finished);
      batch.add('XACK', stream, group, ...this.#finished);
    }
    for (const asked of this.#asked) askIn(batch, asked);
    const publications = this.#publications.length;
    this.#publications = [];
    this.#answers = new Map();
    this.#finished = [];
    this.#asked = [];
    const sent = batch.send().then((failure) => {
      this.#sending.delete(sent);
      if (!failure) return;
      log.error(
        { reason: reasonOf(failure.error), see: 'docs/runbook.md#redisaway' },
        'publishing to gateways failed',
      );
      // What an entry published may have been in this batch: it stays, to be claimed.
      this.#failures += 1;
      this.#keepUnfinished();
      if (failure.index < publications) onFailed?.();
    });
    this.#sending.add(sent);
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

type Asked = {
  readonly commands: readonly (readonly string[])[];
  resolve(answers: unknown[]): void;
  reject(error: Error): void;
};

function askIn(batch: CommandBatch, { commands, resolve, reject }: Asked): void {
  const answers: unknown[] = [];
  let firstError: Error | undefined;
  for (const words of commands) {
    batch.ask(words, (error, answer) => {
      firstError ??= error;
      if (answers.push(answer) < commands.length) return;
      if (firstError) reject(firstError);
      else resolve(answers);
    });
  }
}

type Encoded = { readonly text: string; readonly bytes: number };

type Behind =
  | { readonly node: string; readonly answer: object; readonly entryId: string }
  | { readonly finished: string };

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
  /** Something of a tick could not be sent, or perhaps was not. */
  onFailed?(): void;
};
