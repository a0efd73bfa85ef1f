import type { ClientSocket } from './client-socket.ts';
import { stopMarginMs } from './config.ts';
import type { GatewayContext } from './context.ts';
import { Drain, type Pace, spreadOf } from './drain.ts';
import { dispatcher } from './frames/index.ts';
import { Session } from './session.ts';

const progressEveryMs = 5_000;

type Log = { info(fields: object, text: string): void; warn(fields: object, text: string): void };

/** All connections of this gateway, and how they are sent away. */
export class Sessions {
  readonly #pace: Pace;
  readonly #log: Log;
  #current = new Set<Session>();
  /** Of epochs of the database that are over. */
  readonly #leaving = new Set<ReadonlySet<Session>>();
  readonly #drains = new Set<Drain>();

  /** @param pace how fast clients are sent away */
  constructor(pace: Pace, log: Log) {
    this.#pace = pace;
    this.#log = log;
  }

  get size(): number {
    return this.#all().reduce((sum, { size }) => sum + size, 0);
  }

  /** Those of the epoch in which the database is. */
  get current(): ReadonlySet<Session> {
    return this.#current;
  }

  /** How many are still to be sent away, by all that sends them away now. */
  get left(): number {
    return [...this.#drains].reduce((sum, { left }) => sum + left, 0);
  }

  open(context: GatewayContext, socket: ClientSocket): Session {
    const session = new Session(context, socket, dispatcher, this.#current);
    this.#current.add(session);
    return session;
  }

  /** What the clients of `before` know is of a history that is gone: new connections are sent what is theirs in the new one. */
  onEpoch(before: GatewayContext, { epoch, log }: GatewayContext): void {
    const old = this.#current;
    this.#current = new Set();
    this.#leaving.add(old);
    log.warn(
      { epoch, connections: old.size, see: 'docs/runbook.md#databasewentback' },
      'the database has come back with another history: clients are sent away',
    );
    void this.sendAway([...old], {}).done.then(() => {
      this.#leaving.delete(old);
      before.cursorWriter.close();
      before.overdue.close();
    });
  }

  /**
   * Sends these away, at the pace of this gateway unless another one is given. The log says how many are left.
   * @param signal stops it
   */
  sendAway(sessions: readonly Session[], options: Partial<Pace> & { readonly signal?: AbortSignal }): Drain {
    const { signal, ...faster } = options;
    const pace = { ...this.#pace, ...faster };
    const spreadMs = Math.round(spreadOf(sessions.length, pace));
    const patienceMs = spreadMs + stopMarginMs;
    const drain = new Drain(sessions, { ...pace, patienceMs, ...(signal ? { signal } : {}) });
    this.#watch(drain, spreadMs);
    return drain;
  }

  /**
   * Sends all clients away, for good.
   * @param withinMs the last one's turn comes before that, however many they are
   * @param patienceMs for answers that do not come
   */
  async drain(withinMs: number, patienceMs: number): Promise<void> {
    const pace = { ...this.#pace, withinMs };
    const unhurriedMs = spreadOf(this.size, this.#pace);
    if (unhurriedMs > withinMs) {
      this.#log.warn(
        { connections: this.size, unhurriedMs: Math.round(unhurriedMs), withinMs },
        'STOP_TIMEOUT_MS is too short for DRAIN_RATE_MAX: clients are sent away faster',
      );
    }
    const drains = this.#all().map((some) => {
      const drain = new Drain(some, { ...pace, patienceMs });
      this.#watch(drain, Math.round(spreadOf(some.size, pace)));
      return drain.done;
    });
    await Promise.all(drains);
  }

  #watch(drain: Drain, spreadMs: number): void {
    if (drain.left === 0) return;
    this.#drains.add(drain);
    const begunAt = Date.now();
    const connections = drain.left;
    this.#log.info({ connections, spreadMs }, 'sending clients away');
    const timer = setInterval(() => {
      this.#log.info({ left: drain.left }, 'sending clients away');
    }, progressEveryMs);
    void drain.done.then(() => {
      clearInterval(timer);
      this.#drains.delete(drain);
      this.#log.info({ connections, ms: Date.now() - begunAt }, 'clients were sent away');
    });
  }

  #all(): ReadonlySet<Session>[] {
    return [this.#current, ...this.#leaving];
  }
}
