import { quantile } from '../quantile.ts';

/** A delivery, or the answer to a request, that is not there so long after the sending is late, whether it comes or not. */
export const lateMs = 5_000;

/** What was sent within some time: from the sending to each delivery, in milliseconds. NaN where nothing was sent. */
export type Window = {
  readonly deliveries: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The longest. */
  readonly worstMs: number;
  /** Deliveries and answers that came later than `lateMs` after the sending, or never. */
  readonly late: number;
  /** Messages that were answered with a failure. */
  readonly refused: number;
};

type Message = {
  readonly sentAtMs: number;
  /** To whom it has not been delivered. */
  readonly waitsFor: Set<number>;
  readonly latenciesMs: number[];
  answerMs: number | undefined;
  isRefused: boolean;
};

/** What honest users have sent, and what became of it. Each message counts for the time in which it was sent. */
export class HonestMessages {
  /** By content, which is of one message alone. */
  readonly #messages = new Map<string, Message>();

  /** @param recipients who are connected then, the sender among them */
  sent(content: string, sentAtMs: number, recipients: readonly number[]): void {
    const waitsFor = new Set(recipients);
    this.#messages.set(content, {
      ...{ sentAtMs, waitsFor, latenciesMs: [], answerMs: undefined, isRefused: false },
    });
  }

  /** A message that is delivered once more counts as of the first time; one that nobody has sent is a stranger's. */
  delivered(content: string, recipient: number, nowMs: number): void {
    const message = this.#messages.get(content);
    if (message?.waitsFor.delete(recipient)) message.latenciesMs.push(nowMs - message.sentAtMs);
  }

  answered(content: string, isRefused: boolean, nowMs: number): void {
    const message = this.#messages.get(content);
    if (!message || message.answerMs !== undefined) return;
    message.answerMs = nowMs - message.sentAtMs;
    message.isRefused = isRefused;
  }

  /** Whether everything that was sent from one moment to another was delivered and answered. */
  areWhole(fromMs: number, toMs: number): boolean {
    return this.#between(fromMs, toMs).every((message) => message.answerMs !== undefined && isWhole(message));
  }

  /** @param nowMs what is not there yet has taken at least until then */
  window(fromMs: number, toMs: number, nowMs: number): Window {
    const messages = this.#between(fromMs, toMs);
    const latenciesMs = messages.flatMap(({ sentAtMs, waitsFor, latenciesMs: known, isRefused }) => [
      ...known,
      ...Array.from(isRefused ? [] : waitsFor, () => nowMs - sentAtMs),
    ]);
    const answersMs = messages.map(({ answerMs, sentAtMs }) => answerMs ?? nowMs - sentAtMs);
    return {
      deliveries: messages.reduce((sum, { latenciesMs: { length } }) => sum + length, 0),
      p50Ms: quantile(latenciesMs, 0.5) ?? Number.NaN,
      p99Ms: quantile(latenciesMs, 0.99) ?? Number.NaN,
      worstMs: latenciesMs.length > 0 ? latenciesMs.reduce((a, b) => Math.max(a, b)) : Number.NaN,
      late: [...latenciesMs, ...answersMs].filter((ms) => ms > lateMs).length,
      refused: messages.filter(({ isRefused }) => isRefused).length,
    };
  }

  /** Forgets what was sent before. */
  forget(beforeMs: number): void {
    for (const [content, { sentAtMs }] of this.#messages)
      if (sentAtMs < beforeMs) this.#messages.delete(content);
  }

  #between(fromMs: number, toMs: number): Message[] {
    return [...this.#messages.values()].filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs);
  }
}

const isWhole = ({ waitsFor, isRefused }: Message) => isRefused || waitsFor.size === 0;
