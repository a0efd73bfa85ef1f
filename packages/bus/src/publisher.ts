import type { Redis } from 'ioredis';
import { CommandBatch } from './command-batch.ts';
import type { BusLog } from './connection.ts';
import { EncodedJson } from './encoded-json.ts';
import type { Names } from './names.ts';
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
 * An entry that may leave its stream waits no longer than this for a batch that leaves anyway: else it has a write to itself,
 * for which this process, Redis, and this process again wake up.
 */
const leaveWithinMs = 50;

/** Of how many entries it is remembered that their refusals could not be sent. */
const unrefusedMax = 10_000;

/** A refused request, and the entry in which it came. */
export type RefusedRequest = {
  readonly entryId: string;
  readonly requestId: string;
  /** So long somebody may begin the entry. */
  readonly keptMs: number;
};

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
   * Sends a refusal that nothing else remembers, and notes it for who may claim the entry: both or neither is done.
   * @param refused what it answers @param shard as above
   */
  refuse(node: string, answer: object, refused: RefusedRequest, shard: number): void;
  /**
   * Sends one answer that may be large. It is encoded when it is its turn: it must not change any more. Its `answer` may be
   * an `EncodedJson`.
   * @param entryId of the entry that it answers @param shard as above
   */
  answerBehind(node: string, answer: object, entryId: string, shard: number): void;
  /** How often something that was sent to a Redis has failed, or has perhaps failed. */
  failures(shard: number): number;
  /**
   * The entry has been answered: it leaves the stream when all that was given before has arrived. If something has failed since
   * anything of it was given, it stays, to be claimed.
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
 * XACK of the entries whose own publications and answers have arrived, then what is asked.
 *
 * Answers that may be large leave behind all else, and not more of them in a tick than take a moment to encode: messages
 * and other answers do not wait for them, neither here nor on the connection.
 *
 * Guarantee: an entry is acknowledged only when Redis has confirmed the publications that were given before it, and its
 * answers: of a batch it may refuse one command, and do the others. When the batch breaks, or something of it is refused, the
 * entries that were finished with it stay pending, and so do those that are finished later and may have had something in it:
 * a later claim publishes all of it again. XDEL goes before XACK: the other way round, a break between the two would leave an
 * entry in the stream that no consumer owns. An answer that is too large, or cannot be encoded, is replaced alone.
 */
export class Publisher implements BusPublisher {
  readonly #options: Options;
  readonly #flushSoon = oncePerTick(() => this.#flush());
  readonly #publicationBytesMax: number;
  readonly #cutter: PieceCutter;
  readonly #sending = new Set<Promise<void>>();
  #lastSent: Promise<void> = Promise.resolve();
  #publications: [channel: string, payload: string][] = [];
  #answers = new Map<string, Encoded[]>();
  #refusals = new Map<string, Encoded[]>();
  /** The requests that those answer, by their entry. */
  #refused = new Map<string, { readonly requestIds: string[]; readonly keptMs: number }>();
  /** The entries whose refusals could not be sent: they stay, to be claimed. */
  readonly #unrefused = new Set<string>();
  /** The entries that were finished with what the next batch sends. */
  #finished: string[] = [];
  /** The entries of which all has arrived: they leave with the next batch. */
  #confirmed: string[] = [];
  #leavingSoon: NodeJS.Timeout | undefined;
  /** Of batches that are on their way: the entries that they take along, or that were finished with them. */
  readonly #underWay = new Set<readonly string[]>();
  #asked: Asked[] = [];
  /** What may be large, in its order, and the entries that were finished behind it. */
  #behind: Behind[] = [];
  /** How many answers of an entry are among those. */
  readonly #answersBehind = new Map<string, number>();
  /** The entries that were finished behind them. */
  readonly #leaving = new Set<string>();
  /** How many of those were given so far. */
  #behindGiven = 0;
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

  refuse(node: string, answer: object, { entryId, requestId, keptMs }: RefusedRequest): void {
    this.#encodeInto(this.#refusals, node, answer);
    const ofEntry = this.#refused.get(entryId);
    if (ofEntry) ofEntry.requestIds.push(requestId);
    else this.#refused.set(entryId, { requestIds: [requestId], keptMs });
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
    } else if (this.isPublished && this.#answers.size + this.#refusals.size === 0) this.#confirm([entryId]);
    else {
      this.#finished.push(entryId);
      this.#flushSoon();
    }
  }

  leaving(): readonly string[] {
    return [...this.#leaving, ...this.#finished, ...this.#confirmed, ...[...this.#underWay].flat()];
  }

  ask(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    if (commands.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#asked.push({ commands, resolve, reject });
      this.#flushSoon();
    });
  }

  async flushed(): Promise<void> {
    const last = this.#behindGiven;
    // The flush of a tick comes before.
    do await new Promise((resolve) => setImmediate(resolve));
    while ((this.#behind[0]?.place ?? Number.POSITIVE_INFINITY) <= last);
    await Promise.all(this.#sending);
    // What has arrived by now lets its entries leave.
    this.#leave();
    await Promise.all(this.#sending);
  }

  async published(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(this.#sending);
  }

  /** @returns its bytes */
  #encodeInto(answers: Map<string, Encoded[]>, node: string, answer: object): number {
    const encoded = this.#encode(answer);
    const ofNode = answers.get(node);
    if (ofNode) ofNode.push(encoded);
    else answers.set(node, [encoded]);
    return encoded.bytes;
  }

  #giveBehind(behind: LargeAnswer | Finished): void {
    this.#behindGiven += 1;
    this.#behind.push({ ...behind, place: this.#behindGiven });
    this.#flushSoon();
  }

  #keepUnfinished(): void {
    this.#behind = this.#behind.filter((behind) => !('finished' in behind));
    this.#leaving.clear();
    this.#finished = [];
  }

  /** Takes as much of what may be large as may leave now, and what was finished behind it. */
  #takeBehind(): ReadonlyMap<string, Encoded[]> {
    if (this.#behind.length === 0) return nothing;
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
    this.#behind.splice(0, taken);
    if (this.#behind.length > 0) this.#flushSoon();
    return large;
  }

  #flush(): void {
    this.#sendRefusals();
    const large = this.#takeBehind();
    const { redis, names, log, onFailed } = this.#options;
    const batch = new CommandBatch(redis);
    for (const [channel, payload] of this.#publications) batch.publish(channel, payload);
    for (const answers of [this.#answers, large]) this.#publishAnswers(batch, answers);
    if (this.#confirmed.length > 0) {
      batch.add('XDEL', names.requests, ...this.#confirmed);
      batch.add('XACK', names.requests, names.cores, ...this.#confirmed);
    }
    for (const asked of this.#asked) askIn(batch, asked);
    const publications = this.#publications.length;
    const finished = this.#finished;
    if (batch.isEmpty && finished.length === 0) return;
    const failuresBefore = this.#failures;
    const entries = [...finished, ...this.#confirmed];
    this.#underWay.add(entries);
    this.#publications = [];
    this.#answers = new Map();
    this.#finished = [];
    this.#confirmed = [];
    this.#asked = [];
    // All that may leave leaves now: the timer would wake this process for nothing.
    clearTimeout(this.#leavingSoon);
    this.#leavingSoon = undefined;
    // Answers come in the order of the batches, but a batch of nothing has none, and a connection that is being closed refuses
    // one at once whose predecessor is still on its way.
    const answered = Promise.all([batch.send(), this.#lastSent]);
    const sent = answered.then(([failure]) => {
      this.#sending.delete(sent);
      this.#underWay.delete(entries);
      if (!failure) {
        // A batch that was sent before this one may have failed meanwhile.
        if (failuresBefore === this.#failures) this.#confirm(finished);
        return;
      }
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
    this.#lastSent = sent;
  }

  /**
   * As one transaction: a Redis that takes no writes any more, or is full, publishes all the same. By themselves: what Redis
   * refuses of them keeps no other entries.
   */
  #sendRefusals(): void {
    if (this.#refusals.size === 0) return;
    const { redis, names, log } = this.#options;
    const [refusals, refused] = [this.#refusals, this.#refused];
    this.#refusals = new Map();
    this.#refused = new Map();
    const batch = new CommandBatch(redis);
    batch.add('MULTI');
    for (const [entryId, { requestIds, keptMs }] of refused) {
      batch.add('SADD', names.refused(entryId), ...requestIds);
      batch.add('PEXPIRE', names.refused(entryId), String(Math.max(1, Math.ceil(keptMs))));
    }
    this.#publishAnswers(batch, refusals);
    batch.add('EXEC');
    const sent = batch.send().then((failure) => {
      this.#sending.delete(sent);
      if (!failure) return;
      log.error(
        { reason: reasonOf(failure.error), see: 'docs/runbook.md#redisaway' },
        'answering with refusals failed',
      );
      for (const entryId of refused.keys()) this.#unrefused.add(entryId);
      for (const [entryId] of [...this.#unrefused.entries()].slice(unrefusedMax))
        this.#unrefused.delete(entryId);
    });
    this.#sending.add(sent);
    // What is finished in a later tick waits for it, too, also where its own batch is of nothing.
    this.#lastSent = Promise.all([this.#lastSent, sent]).then(() => {});
  }

  #confirm(finished: readonly string[]): void {
    const leaving =
      this.#unrefused.size === 0 ? finished : finished.filter((id) => !this.#unrefused.delete(id));
    if (leaving.length === 0) return;
    this.#confirmed.push(...leaving);
    this.#leavingSoon ??= setTimeout(() => {
      this.#leavingSoon = undefined;
      this.#leave();
    }, this.#options.leaveWithinMs ?? leaveWithinMs);
  }

  #leave(): void {
    if (this.#confirmed.length > 0) this.#flush();
  }

  #publishAnswers(batch: CommandBatch, answers: ReadonlyMap<string, readonly Encoded[]>): void {
    const { names } = this.#options;
    for (const [node, ofNode] of answers) {
      for (const payload of this.#publicationsOf(ofNode)) batch.publish(names.gateway(node), payload);
    }
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

  #encode(answer: object): Encoded {
    const { log, refuse } = this.#options;
    try {
      const encoded = encodedOf(answer);
      if (encoded.bytes <= answerBytesMax) return encoded;
      log.error({ bytes: encoded.bytes }, 'an answer is too large');
    } catch (error) {
      // Node's text says what was wrong with the string, and quotes none of it.
      log.error({ reason: (error as Error).message }, 'an answer cannot be encoded');
    }
    return encodedOf(refuse(answer));
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

const nothing: ReadonlyMap<string, Encoded[]> = new Map();

type Encoded = { readonly text: string; readonly bytes: number };

function encodedOf(answer: object): Encoded {
  const text = textOf(answer);
  return { text, bytes: Buffer.byteLength(text) };
}

function textOf(answer: { readonly answer?: unknown }): string {
  const { answer: body } = answer;
  if (!(body instanceof EncodedJson)) return JSON.stringify(answer);
  const { answer: _, ...head } = answer;
  // In place of the 0, before the closing brace.
  return `${JSON.stringify({ ...head, answer: 0 }).slice(0, -2)}${body.text}}`;
}

type LargeAnswer = { readonly node: string; readonly answer: object; readonly entryId: string };
type Finished = { readonly finished: string };
type Behind = (LargeAnswer | Finished) & { readonly place: number };

type Options = {
  redis: Redis;
  names: Pick<Names, 'requests' | 'cores' | 'refused' | 'gateway'>;
  /** What is answered in place of an answer that cannot be sent. */
  refuse(answer: object): object;
  log: BusLog;
  publicationBytesMax?: number;
  /** Default 50. */
  leaveWithinMs?: number;
  /** Something of a tick could not be sent, or perhaps was not. */
  onFailed?(): void;
};
