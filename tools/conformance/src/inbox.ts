import { Failure } from './failure.ts';
import type { Received } from './received.ts';

export type Question<T> = (frames: readonly Received[]) => T | undefined | false;

/** What a connection received, in order, and those who wait for more of it. */
export class Inbox {
  readonly frames: Received[] = [];
  readonly #looks = new Set<() => void>();
  #closed: string | undefined;

  push(frame: Received): void {
    this.frames.push(frame);
    for (const look of [...this.#looks]) look();
  }

  close(how: string): void {
    this.#closed = how;
    for (const look of [...this.#looks]) look();
  }

  /** Waits until a question to all frames has an answer other than undefined or false. */
  until<T>(question: Question<T>, timeoutMs: number, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (end: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        end();
      };
      const look = () => {
        const answer = question(this.frames);
        if (answer !== undefined && answer !== false) stop(() => resolve(answer));
        else if (this.#closed !== undefined) {
          stop(() => reject(new Failure(`waited for ${what}, but the connection closed (${this.#closed})`)));
        }
      };
      const timer = setTimeout(
        () => stop(() => reject(new Failure(`waited ${timeoutMs} ms for ${what}`))),
        timeoutMs,
      );
      this.#looks.add(look);
      look();
    });
  }
}
