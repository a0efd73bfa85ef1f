import { type FrameMatch, matches, type ReceivedFrame } from './frame.ts';

interface Waiter {
  /** True when it is done and wants to hear no more. */
  readonly look: () => boolean;
  readonly fail: (error: Error) => void;
}

/** All frames that a client received, in order, and those who wait for one. */
export class Inbox {
  readonly frames: ReceivedFrame[] = [];
  readonly #consumed = new Set<ReceivedFrame>();
  readonly #waiters = new Set<Waiter>();
  readonly #patienceMs: number;
  #closed: string | undefined;

  /** @param patienceMs how long every wait lasts at most */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  push(frame: ReceivedFrame): void {
    this.frames.push(frame);
    this.#wake();
  }

  /** From now on nothing comes: who still waits fails. */
  close(why: string): void {
    this.#closed = why;
    this.#wake();
    for (const waiter of this.#waiters) waiter.fail(this.#error('the connection closed', why));
    this.#waiters.clear();
  }

  /** The first frame that matches and was not taken yet, whether it is here or yet to come. Takes it. */
  next(match: FrameMatch, what: string): Promise<ReceivedFrame> {
    return this.until(() => {
      const frame = this.frames.find(
        (candidate) => !this.#consumed.has(candidate) && matches(candidate, match),
      );
      if (frame) this.#consumed.add(frame);
      return frame;
    }, what);
  }

  /** Waits until a question to all frames has an answer other than undefined or false. Takes nothing. */
  until<T>(question: (frames: readonly ReceivedFrame[]) => T | undefined | false, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const look = () => {
        const answer = question(this.frames);
        if (answer === undefined || answer === false) return false;
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(answer);
        return true;
      };
      const fail = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      const waiter: Waiter = { look, fail };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(this.#error(`waited ${this.#patienceMs} ms`, what));
      }, this.#patienceMs);
      if (look()) return;
      if (this.#closed === undefined) this.#waiters.add(waiter);
      else fail(this.#error(`waited for ${what}, but the connection is closed`, this.#closed));
    });
  }

  #wake(): void {
    // In the order in which they began to wait, so that two waits for the same type get one frame each.
    for (const waiter of [...this.#waiters]) waiter.look();
  }

  /** What came, for an error. */
  describe(): string {
    const lines = this.frames.map(
      (frame) =>
        `  ${this.#consumed.has(frame) ? 'taken ' : 'open  '} ${JSON.stringify(frame).slice(0, 300)}`,
    );
    return lines.length === 0 ? 'nothing was received' : `received so far:\n${lines.slice(-40).join('\n')}`;
  }

  #error(before: string, what: string): Error {
    return new Error(`${before}: ${what}; ${this.describe()}`);
  }
}
