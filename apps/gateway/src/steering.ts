import type { DrainStatus } from '@hooligram/contract';
import type { Drain } from './drain.ts';
import type { Session } from './session.ts';

/** How soon somebody who comes during a drain is sent away. */
const lookEveryMs = 250;

/** What this asks of the sessions of a gateway. */
type SessionsToSteer = {
  readonly current: ReadonlySet<Session>;
  sendAway(
    sessions: readonly Session[],
    options: { rateMax?: number; spreadMs?: number; signal: AbortSignal },
  ): Drain;
};

type Running = { readonly kind: 'drain' | 'shed'; readonly stop: AbortController; drain?: Drain };

/**
 * Sends clients of a running gateway away because an operator, or the levelling, wants it: all of them until that is
 * stopped, or a number. One of the two at a time.
 */
export class Steering {
  readonly #sessions: SessionsToSteer;
  #running: Running | undefined;

  constructor(sessions: SessionsToSteer) {
    this.#sessions = sessions;
  }

  get status(): DrainStatus {
    const { kind, drain } = this.#running ?? {};
    if (!kind) return { kind: 'none', left: 0 };
    return { kind, left: kind === 'drain' ? this.#sessions.current.size : (drain?.left ?? 0) };
  }

  /** A condition of readiness: a gateway that is drained wants no clients. */
  readonly check = (): true | string => {
    const { kind, left } = this.status;
    return kind !== 'drain' || `drained by an operator, ${left} connections left`;
  };

  /** Sends all clients away, and those who come, until it is stopped. @param rateMax connections a second */
  drain(rateMax: number | null): DrainStatus {
    this.stop();
    const running: Running = { kind: 'drain', stop: new AbortController() };
    this.#running = running;
    void this.#drainUntilStopped(running, rateMax);
    return this.status;
  }

  /**
   * Sends so many away, those first that are here longest: so nobody is sent away twice before everybody was once, and a
   * load balancer that does not count who came before its last reload gets those to place that it does not count. An
   * operator's drain goes on instead.
   * @param rateMax connections a second
   */
  shed(connections: number, rateMax: number | null): DrainStatus {
    if (this.#running?.kind === 'drain') return this.status;
    this.stop();
    const stop = new AbortController();
    // In the order in which they came.
    const chosen = [...this.#sessions.current].slice(0, connections);
    const drain = this.#sessions.sendAway(chosen, { ...rateOf(rateMax), spreadMs: 0, signal: stop.signal });
    const running: Running = { kind: 'shed', stop, drain };
    this.#running = running;
    void drain.done.then(() => {
      if (this.#running === running) this.#running = undefined;
    });
    return this.status;
  }

  /** The others stay, and the gateway is ready again. */
  stop(): DrainStatus {
    this.#running?.stop.abort();
    this.#running = undefined;
    return this.status;
  }

  async #drainUntilStopped(running: Running, rateMax: number | null): Promise<void> {
    const { signal } = running.stop;
    while (!signal.aborted) {
      const { current } = this.#sessions;
      if (current.size > 0) {
        running.drain = this.#sessions.sendAway([...current], { ...rateOf(rateMax), signal });
        await running.drain.done;
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, lookEveryMs).unref());
    }
  }
}

function rateOf(rateMax: number | null): { rateMax?: number } {
  return rateMax === null ? {} : { rateMax };
}
