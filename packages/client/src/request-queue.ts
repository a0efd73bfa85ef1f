import { errorTexts, mayRetry, readTryAgain } from '@hooligram/protocol/error-texts';
import { backoffMs } from './backoff.ts';
import type { QueuedRequest } from './events.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { pause } from './pause.ts';
import type { Answer, Socket } from './socket.ts';

/** A limit that is over in so many seconds is waited for; of one that lasts longer the caller is told. */
const tryAgainMaxSeconds = 120;

export type QueueEntry = {
  readonly request: QueuedRequest;
  /** Resolves when the storage has it: it is not sent before. */
  readonly stored: Promise<void>;
};

export type QueuedAnswer = Answer<QueuedRequest['type']>;

/**
 * Sends requests until they have their final answer. Of those that name the same group one at a time is on its way, so
 * that their order survives `server busy` and broken connections. Groups do not wait for each other.
 */
export class RequestQueue<E extends QueueEntry> {
  readonly #queue = new KeyedQueue<string>();
  readonly #waiting = new Set<E>();
  readonly #onAnswer: (entry: E, answer: QueuedAnswer) => void;
  #socket: Socket | undefined;
  #onResume: (() => void)[] = [];

  /** @param onAnswer called with the final answer */
  constructor(onAnswer: (entry: E, answer: QueuedAnswer) => void) {
    this.#onAnswer = onAnswer;
  }

  add(entry: E): void {
    this.#waiting.add(entry);
    void this.#queue.run(keyOf(entry.request), () => this.#send(entry));
  }

  /** One that is on its way already may still take effect; the next of its group waits for its answer. */
  remove(entry: E): void {
    this.#waiting.delete(entry);
  }

  /** Sends what waits, on a socket that is signed in; what is added from now on leaves as soon as it is the next. */
  resume(socket: Socket): void {
    this.#socket = socket;
    for (const resume of this.#onResume.splice(0)) resume();
  }

  /** Sends nothing until it is resumed. */
  stop(): void {
    this.#socket = undefined;
  }

  async #send(entry: E): Promise<void> {
    await entry.stored;
    let failures = 0;
    while (this.#waiting.has(entry)) {
      const socket = this.#socket;
      if (!socket?.isOpen) {
        failures = 0;
        await new Promise<void>((resolve) => this.#onResume.push(resolve));
        continue;
      }
      const { id, type, payload } = entry.request;
      const answer: QueuedAnswer | undefined = await socket.request(type, id, payload);
      const againMs = answer && againAfterMs(answer, failures);
      if (againMs !== undefined) {
        await pause(againMs, socket.ended);
        failures += 1;
      } else if (answer) {
        this.#waiting.delete(entry);
        this.#onAnswer(entry, answer);
      }
    }
  }
}

/** A request that creates a group waits for no other. */
function keyOf({ id, payload }: QueuedRequest): string {
  return 'group_id' in payload ? String(payload.group_id) : id;
}

/**
 * Nothing was done, and the same request may succeed after a pause.
 * @returns its length, or undefined when the answer is final: also when the pause would be a long one
 */
function againAfterMs(answer: QueuedAnswer, failures: number): number | undefined {
  if (answer.ok) return undefined;
  const { text, seconds } = readTryAgain(answer.errors[0] ?? '');
  if (text === errorTexts.serverBusy.text) return backoffMs(failures, Math.random());
  if (seconds === undefined || seconds > tryAgainMaxSeconds || !mayRetry(answer.errors)) return undefined;
  return seconds * 1_000;
}
