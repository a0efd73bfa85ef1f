import type { ConnectionState } from './events.ts';
import { Link, type LinkOwner } from './link.ts';
import type { Settings } from './options.ts';
import { reconnectDelayMs } from './reconnect-delay.ts';

/** A connection that lived for less than this counts as one that failed. */
const lastingMs = 5_000;

/** One link after the other. */
export class Connection implements LinkOwner {
  /** The newest link; open, about to be, or dead. */
  #link: Link | undefined;
  readonly #settings: Settings;
  readonly #owner: Pick<LinkOwner, 'onOpen' | 'onDelivery'>;
  readonly #onState: (state: ConnectionState) => void;
  #state: ConnectionState = { status: 'connecting' };
  #openedAt: number | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: (() => void)[] = [];
  #isFinished = false;

  constructor(
    settings: Settings,
    owner: Pick<LinkOwner, 'onOpen' | 'onDelivery'>,
    onState: (state: ConnectionState) => void,
  ) {
    this.#settings = settings;
    this.#owner = owner;
    this.#onState = onState;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The link, if it is open. */
  get link(): Link | undefined {
    return this.#link?.isOpen ? this.#link : undefined;
  }

  /** Waits for an open link. @throws the signal's reason */
  async whenOpen(signal: AbortSignal): Promise<Link> {
    for (;;) {
      signal.throwIfAborted();
      if (this.link) return this.link;
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

  /** Connects, without waiting any longer. A link that looks open is asked whether it lives. */
  hurry(): void {
    if (this.#isFinished) return;
    this.#link?.doubt();
    if (!this.#link || this.#link.ended.aborted) this.#begin();
  }

  /** As hurry, for what is only a hint: it does not undo an end that is final. */
  doubt(hasNetwork: boolean): void {
    const { status } = this.#state;
    if (hasNetwork && status !== 'stopped') this.hurry();
    else this.link?.doubt();
  }

  /** Goes on with a new link, on which nobody is signed in. */
  renew(): void {
    const old = this.#link;
    this.#link = undefined;
    void old?.finish();
    this.hurry();
  }

  /** Ends for good. @returns when the link is closed */
  async finish(): Promise<void> {
    this.#isFinished = true;
    clearTimeout(this.#timer);
    const old = this.#link;
    this.#link = undefined;
    await old?.finish();
    this.setState({ status: 'stopped', code: 1000, reason: '' });
  }

  onOpen(link: Link): void {
    this.#openedAt = performance.now();
    this.#owner.onOpen(link);
    if (this.#state.status === 'connecting') this.setState({ status: 'connected' });
    for (const resume of this.#waiting.splice(0)) resume();
  }

  onDelivery(...args: Parameters<LinkOwner['onDelivery']>): void {
    this.#owner.onDelivery(...args);
  }

  onEnd(link: Link, code: number, reason: string): void {
    if (link !== this.#link) return;
    const hasLasted = this.#openedAt !== undefined && performance.now() - this.#openedAt >= lastingMs;
    const failedBefore = hasLasted ? 0 : this.#failures;
    this.#failures = hasLasted ? 0 : failedBefore + 1;
    // Nobody else lost a connection in this moment: there is no crowd to spread.
    const isOwnAffair = link.isSilent && failedBefore === 0;
    const retryInMs = isOwnAffair ? 0 : reconnectDelayMs(code, failedBefore, Math.random());
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
    this.#link = new Link(this.#settings, this);
  }
}
