import { type FrameMatch, matches, type Question, type ReceivedFrame } from './frame.ts';

/** The frames that a client received, in order, and the waits for more of them. */
export class Inbox {
  readonly #frames: ReceivedFrame[] = [];
  readonly #taken = new Set<ReceivedFrame>();
  readonly #looks = new Set<() => void>();
  #closed: string | undefined;

  get frames(): readonly ReceivedFrame[] {
    return this.#frames;
  }

  push(frame: ReceivedFrame): void {
    this.#frames.push(frame);
    this.#wake();
  }

  /** No frame comes from now on: every wait fails. @param how the connection ended, in words */
  close(how: string): void {
    this.#closed = how;
    this.#wake();
  }

  /**
   * Takes the first frame that matches and was not taken yet, whether it is here or yet to come.
   * @param after how many frames are not looked at
   */
  next(match: FrameMatch, timeoutMs: number, what: string, after = 0): Promise<ReceivedFrame> {
    const isOpen = (frame: ReceivedFrame) => !this.#taken.has(frame) && matches(frame, match);
    return this.until(
      (frames) => {
        const frame = frames.slice(after).find(isOpen);
        if (frame) this.#taken.add(frame);
        return frame;
      },
      timeoutMs,
      what,
    );
  }

  /**
   * Waits until a question to all frames has an answer other than undefined or false. Takes no frame.
   * @param what it waits for, for the error
   */
  until<T>(question: Question<T>, timeoutMs: number, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        settle();
      };
      const fail = (message: string) => end(() => reject(new Error(message)));
      const look = () => {
        const answer = question(this.#frames);
        if (answer !== undefined && answer !== false) end(() => resolve(answer));
        else if (this.#closed !== undefined)
          fail(`waited for ${what}, but the connection closed (${this.#closed})`);
      };
      const timer = setTimeout(() => fail(`waited ${timeoutMs} ms for ${what}`), timeoutMs);
      // An abandoned wait keeps no process alive; an open connection does.
      timer.unref();
      this.#looks.add(look);
      look();
    });
  }

  /** What was received, for an error. */
  describe(): string {
    const lines = this.#frames.map(
      (frame) => `  ${this.#taken.has(frame) ? 'taken ' : 'open  '} ${JSON.stringify(frame).slice(0, 300)}`,
    );
    return lines.length === 0 ? 'nothing was received' : `received so far:\n${lines.slice(-40).join('\n')}`;
  }

  /** In the order in which the waits began, so that two waits for the same type get one frame each. */
  #wake(): void {
    for (const look of [...this.#looks]) look();
  }
}
