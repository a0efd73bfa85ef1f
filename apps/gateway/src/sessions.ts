import type { ClientSocket } from './client-socket.ts';
import { stopMarginMs } from './config.ts';
import type { GatewayContext } from './context.ts';
import { drain } from './drain.ts';
import { dispatcher } from './frames/index.ts';
import { Session } from './session.ts';

/** All connections of this gateway, and how they are sent away. */
export class Sessions {
  readonly #spreadMs: number;
  #current = new Set<Session>();
  /** Of epochs of the database that are over. */
  readonly #leaving = new Set<ReadonlySet<Session>>();

  /** @param spreadMs over how long clients are sent away */
  constructor(spreadMs: number) {
    this.#spreadMs = spreadMs;
  }

  get size(): number {
    return this.#all().reduce((sum, { size }) => sum + size, 0);
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
      { epoch, connections: old.size },
      'the database has come back with another history: clients are sent away',
    );
    void drain(old, { spreadMs: this.#spreadMs, patienceMs: this.#spreadMs + stopMarginMs }).then(() => {
      this.#leaving.delete(old);
      before.cursorWriter.close();
      before.overdue.close();
    });
  }

  /** Sends all clients away. @param patienceMs for answers that do not come */
  async drain(patienceMs: number): Promise<void> {
    await Promise.all(this.#all().map((some) => drain(some, { spreadMs: this.#spreadMs, patienceMs })));
  }

  #all(): ReadonlySet<Session>[] {
    return [this.#current, ...this.#leaving];
  }
}
