import { closeReasons } from '@hooligram/protocol';
import type { Session } from './session.ts';

const tickMs = 50;

/** How fast clients are sent away: no faster than either allows, unless `withinMs` leaves too little time. */
export type Pace = {
  /** Spread over this time; 0 closes all at once, as far as `rateMax` lets it. */
  readonly spreadMs: number;
  /** Connections a second. */
  readonly rateMax: number;
  /** The last one's turn comes before that. */
  readonly withinMs?: number;
};

/** @returns over what time so many clients are sent away */
export function spreadOf(
  connections: number,
  { spreadMs, rateMax, withinMs = Number.POSITIVE_INFINITY }: Pace,
): number {
  return Math.min(withinMs, Math.max(spreadMs, (connections / rateMax) * 1_000));
}

/**
 * Sends clients away, evenly spread over a time, so that the others are not met by all of them at once. Until
 * its turn has come a connection works as before. Then it takes no more requests, gets the answers to those that
 * are at the core, and is closed with 1012: no client need wonder whether a message was stored. Where the answer
 * does not come in time, it is closed with 1013, because that client has to wonder.
 */
export class Drain {
  /** Resolves when the last one is closed; those whose turn has not come when it is stopped stay. */
  readonly done: Promise<void>;
  readonly #signal: AbortSignal | undefined;
  #left: number;

  /**
   * @param patienceMs from the first turn on; for answers that do not come
   * @param signal stops it
   */
  constructor(
    sessions: Iterable<Session>,
    { patienceMs, signal, ...pace }: Pace & { readonly patienceMs: number; readonly signal?: AbortSignal },
  ) {
    const waiting = [...sessions];
    this.#left = waiting.length;
    this.#signal = signal;
    this.done = this.#run(waiting, pace, patienceMs);
  }

  /** How many are not closed yet. */
  get left(): number {
    return this.#left;
  }

  async #run(all: readonly Session[], pace: Pace, patienceMs: number): Promise<void> {
    const outOfPatience = new AbortController();
    const timer = setTimeout(() => outOfPatience.abort(), patienceMs);
    const spreadMs = spreadOf(all.length, pace);
    const portion = Math.ceil((all.length * tickMs) / Math.max(spreadMs, tickMs));
    const pauseMs = Math.max(tickMs, Math.min(1_000 / pace.rateMax, spreadMs / all.length) * portion);
    const leaving: Promise<void>[] = [];
    for (let next = 0; next < all.length; next += portion) {
      if (next > 0) await pause(pauseMs, this.#signal);
      if (this.#signal?.aborted) break;
      for (const session of all.slice(next, next + portion)) {
        leaving.push(this.#send(session, outOfPatience.signal));
      }
    }
    await Promise.all(leaving);
    clearTimeout(timer);
    this.#left = 0;
  }

  async #send(session: Session, outOfPatience: AbortSignal): Promise<void> {
    const isAnswered = await session.finish(outOfPatience);
    session.socket.end(isAnswered ? closeReasons.restarting : closeReasons.outcomeUnknown);
    this.#left -= 1;
  }
}

/** Until that time has passed, or the signal. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
