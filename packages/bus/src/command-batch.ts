import { Command, type Redis } from 'ioredis';
import { signaturesOf } from './connection.ts';
import { publishingOver } from './sharded-channels.ts';
import type { Signatures } from './signatures.ts';

/** Gets the answer of a command, texts in it as bytes; or the error with which it failed. */
type OnAnswer = (error: Error | undefined, answer: unknown) => void;

/** The first command of a batch that failed, and which one it is, in the order in which they were added. */
type BatchFailure = { readonly index: number; readonly error: Error };

/** More text than this is put aside as bytes: no string of V8 may grow without end. */
const textMax = 1_024 * 1_024;

/**
 * Commands that leave in one write, and of whose answers nobody reads anything but whether one is an error, unless they are
 * `ask`ed. In a pipeline of
 * ioredis each command is an object with four promises, four closures and a result; here all of them are one object, which
 * stands in the queue of the connection once for each command.
 *
 * Guarantee: they run in the order in which they were added, and between what was sent on the connection before and what
 * is sent after. All that the connection does for a command it does for these: publications are signed, a refusal of a
 * wrong server leaves it, and commands whose connection breaks before their answers fail, none is sent again.
 */
export class CommandBatch {
  readonly #redis: Redis;
  readonly #signatures: Signatures | undefined;
  #commands = 0;
  readonly #asked: { readonly words: readonly string[]; readonly onAnswer: OnAnswer }[] = [];
  /** What is sent: nearly always text alone. */
  #bytes: Buffer[] | undefined;
  #text = '';

  /** @param redis a connection of the role `command` */
  constructor(redis: Redis) {
    this.#redis = redis;
    this.#signatures = signaturesOf(redis);
  }

  get isEmpty(): boolean {
    return this.#commands === 0 && this.#asked.length === 0;
  }

  publish(channel: string, payload: string | Buffer): void {
    const signed = this.#signatures?.signPublication(channel, payload) ?? payload;
    this.#commands += 1;
    const [command, name] = publishingOver(this.#redis, channel);
    this.#text += `*3\r\n${bulk(command)}${bulk(name)}`;
    if (typeof signed === 'string') this.#text += bulk(signed);
    else {
      this.#text += `$${signed.length}\r\n`;
      this.#putAside().push(signed);
      this.#text = '\r\n';
    }
    if (this.#text.length > textMax) this.#putAside();
  }

  add(...words: readonly string[]): void {
    this.#commands += 1;
    this.#text += `*${words.length}\r\n`;
    for (const word of words) this.#text += bulk(word);
  }

  /** One whose answer is read, and whose failure is none of the batch. It leaves behind all that are added. */
  ask(words: readonly string[], onAnswer: OnAnswer): void {
    this.#asked.push({ words, onAnswer });
  }

  /** Sends all of it, once. @returns undefined when each was answered without an error; it never rejects */
  send(): Promise<BatchFailure | undefined> {
    const asked = this.#asked.map(({ onAnswer }) => onAnswer);
    for (const { words } of this.#asked) this.add(...words);
    if (this.#commands === 0) return Promise.resolve(undefined);
    const commands = this.#commands;
    return new Promise((resolve) => {
      const answers = new Answers(commands, asked, resolve);
      for (let index = 0; index < commands; index += 1) this.#redis.sendCommand(answers, nowhere);
      // A connection that takes no commands has refused all of them by now: nothing of them may leave.
      if (!answers.isRefused) this.#redis.stream.write(this.#written());
    });
  }

  #written(): string | Buffer {
    return this.#bytes ? Buffer.concat(this.#putAside()) : this.#text;
  }

  #putAside(): Buffer[] {
    this.#bytes ??= [];
    this.#bytes.push(Buffer.from(this.#text));
    this.#text = '';
    return this.#bytes;
  }
}

/** Each command is queued by itself, and all of them are written in one piece behind that. */
const nowhere = {
  isPipeline: true,
  write: () => true,
  destination: { redis: { stream: undefined as never } },
} as const;

/** Stands for every command of a batch in the queue of its connection. Its answers come in the order of the commands. */
class Answers extends Command {
  #left: number;
  readonly #count: number;
  /** Of the last ones. */
  readonly #asked: readonly OnAnswer[];
  #failure: BatchFailure | undefined;
  #hasFailed = false;
  readonly #onAll: (failure: BatchFailure | undefined) => void;

  constructor(count: number, asked: readonly OnAnswer[], onAll: (failure: BatchFailure | undefined) => void) {
    // No command of Redis, so that ioredis takes it for none that needs more than an answer.
    super('batch');
    this.#left = count;
    this.#count = count;
    this.#asked = asked;
    this.#onAll = onAll;
    this.resolve = (answer) => this.#note(undefined, answer);
    this.reject = (error) => this.#note(error, undefined);
  }

  /** Whether one of them has failed so far. */
  get isRefused(): boolean {
    return this.#hasFailed;
  }

  override toWritable(): string {
    return '';
  }

  #note(error: Error | undefined, answer: unknown): void {
    const index = this.#count - this.#left;
    const onAnswer = this.#asked[index - this.#count + this.#asked.length];
    if (error) this.#hasFailed = true;
    if (onAnswer) onAnswer(error, answer);
    else if (error) this.#failure ??= { index, error };
    this.#left -= 1;
    if (this.#left === 0) this.#onAll(this.#failure);
  }
}

/** A word as Redis reads it: https://redis.io/docs/latest/develop/reference/protocol-spec/#bulk-strings */
function bulk(word: string): string {
  return `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
}
