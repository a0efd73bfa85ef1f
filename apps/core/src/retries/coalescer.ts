import { setImmediate as nextTick } from 'node:timers/promises';

/**
 * Collects the ids of one event-loop tick, each once, and sends them with one call, one call at a time. Ids that come
 * during a call go into the next one, and so do ids whose call failed.
 */
export class Coalescer {
  readonly #send: (ids: readonly number[]) => Promise<void>;
  readonly #ids = new Set<number>();
  #lastCall: Promise<void> = Promise.resolve();
  #isCallWaiting = false;

  /** @param send rejects if the ids could not be sent */
  constructor(send: (ids: readonly number[]) => Promise<void>) {
    this.#send = send;
  }

  /** Cheap, and cannot fail. */
  add(id: number): void {
    this.#ids.add(id);
    void this.settled();
  }

  /** Resolves when every id added so far has been sent. Rejects if that failed; the next call of it sends again. */
  settled(): Promise<void> {
    if (this.#ids.size > 0 && !this.#isCallWaiting) {
      this.#isCallWaiting = true;
      this.#lastCall = this.#callBehind(this.#lastCall);
      // A caller of this method receives a failure; if there is none, it is no unhandled rejection.
      this.#lastCall.catch(() => {});
    }
    return this.#lastCall;
  }

  async #callBehind(previous: Promise<void>): Promise<void> {
    await nextTick();
    // A call that failed keeps its ids, so this one takes them along.
    await previous.catch(() => {});
    this.#isCallWaiting = false;
    const ids = [...this.#ids];
    this.#ids.clear();
    try {
      await this.#send(ids);
    } catch (error) {
      for (const id of ids) this.#ids.add(id);
      throw error;
    }
  }
}
