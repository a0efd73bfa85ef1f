import type { ConnectionState } from './events.ts';
import type { Settings } from './options.ts';
import { isLongPause, reconnectDelayMs } from './reconnect-delay.ts';
import { Socket, type SocketOwner } from './socket.ts';

/** A connection that lived for less than this counts as one that failed. */
const lastingMs = 5_000;

/** The connection to the server: one socket after the other. */
export class Connection implements SocketOwner {
  /** The newest socket; open, about to be, or dead. */
  #socket: Socket | undefined;
  readonly #settings: Settings;
  readonly #owner: Pick<SocketOwner, 'onOpen' | 'onDelivery'>;
  readonly #onState: (state: ConnectionState) => void;
  #state: ConnectionState = { status: 'connecting' };
  #openedAt: number | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: (() => void)[] = [];
  #isFinished = false;

  constructor(
    settings: Settings,
    owner: Pick<SocketOwner, 'onOpen' | 'onDelivery'>,
    onState: (state: ConnectionState) => void,
  ) {
    this.#settings = settings;
    this.#owner = owner;
    this.#onState = onState;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The socket, if it is open. */
  get socket(): Socket | undefined {
    return this.#socket?.isOpen ? this.#socket : undefined;
  }

  /** Waits for an open socket. @throws the signal's reason */
  async whenOpen(signal: AbortSignal): Promise<Socket> {
    for (;;) {
      signal.throwIfAborted();
      if (this.socket) return this.socket;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  setState(state: ConnectionState): void {
    if (state.status === this.#state.status && state.status !== 'waiting') return;
    this.#state = state;
    this.#onState(state);
  }

  /** Connects without waiting. A socket that looks open is sent a keep-alive, to find out whether it lives. */
  connectNow(): void {
    if (this.#isFinished) return;
    this.#socket?.doubt();
    if (!this.#socket || this.#socket.ended.aborted) this.#begin();
  }

  /** As connectNow, after a mere hint: it does not undo an end that is final, nor a pause for which the server asked. */
  doubt(hasNetwork: boolean): void {
    const state = this.#state;
    const isToldToWait = state.status === 'waiting' && isLongPause(state.code);
    if (hasNetwork && state.status !== 'stopped' && !isToldToWait) this.connectNow();
    else this.socket?.doubt();
  }

  /** Replaces the socket by a new one, on which no user is signed in. */
  renew(): void {
    const old = this.#socket;
    this.#socket = undefined;
    void old?.finish();
    this.connectNow();
  }

  /** Ends for good. @returns when the socket is closed */
  async finish(): Promise<void> {
    this.#isFinished = true;
    clearTimeout(this.#timer);
    const old = this.#socket;
    this.#socket = undefined;
    await old?.finish();
    this.setState({ status: 'stopped', code: 1000, reason: '' });
  }

  onOpen(socket: Socket): void {
    this.#openedAt = performance.now();
    this.#owner.onOpen(socket);
    if (this.#state.status === 'connecting') this.setState({ status: 'connected' });
    for (const resume of this.#waiting.splice(0)) resume();
  }

  onDelivery(...args: Parameters<SocketOwner['onDelivery']>): void {
    this.#owner.onDelivery(...args);
  }

  onEnd(socket: Socket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    const hasLasted = this.#openedAt !== undefined && performance.now() - this.#openedAt >= lastingMs;
    const failedBefore = hasLasted ? 0 : this.#failures;
    this.#failures = hasLasted ? 0 : failedBefore + 1;
    // Only this client lost its connection: there is no crowd of reconnecting clients to spread.
    const isAlone = socket.isSilent && failedBefore === 0;
    const retryInMs = isAlone ? 0 : reconnectDelayMs(code, failedBefore, Math.random());
    if (retryInMs === undefined) {
      this.setState({ status: 'stopped', code, reason });
      return;
    }
    this.#timer = setTimeout(() => this.#begin(), retryInMs);
    this.setState({ status: 'waiting', code, reason, retryInMs });
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#openedAt = undefined;
    this.setState({ status: 'connecting' });
    this.#socket = new Socket(this.#settings, this);
  }
}
