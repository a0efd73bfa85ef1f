import type {
  AcknowledgementType,
  ClientRequestType,
  DeliveryType,
  Frame,
  PayloadOf,
  SuccessOf,
} from '@hooligram/protocol';
import type { Settings, WebSocketLike } from './options.ts';
import { uuid } from './uuid.ts';

export type Answer<T extends ClientRequestType> =
  | { readonly ok: true; readonly payload: PayloadOf<SuccessOf<T>> }
  | { readonly ok: false; readonly errors: readonly string[] };

export type SocketOwner = {
  onOpen(socket: Socket): void;
  onDelivery(socket: Socket, frame: Frame<DeliveryType>): void;
  /** Once, also when it was never open. The socket counts as dead from then on, whatever its WebSocket still does. */
  onEnd(socket: Socket, code: number, reason: string): void;
};

type Received = { id?: unknown; type?: unknown; payload?: { errors?: unknown } };

/** The code of a connection that broke without a close frame. */
const brokenCode = 1006;

/** A connection that brought nothing for so long is doubted when something is sent, or when it is not even open. */
const quietMs = 5_000;
/** How often an idle connection looks at the clock. */
const lookMs = 5_000;
/** A timer that comes so late was not merely waiting for its turn. */
const lateMs = 2_000;

/** One WebSocket, from the first try to its end: pairs answers with requests, and notices when it is dead. */
export class Socket {
  readonly #webSocket: WebSocketLike;
  readonly #settings: Settings;
  readonly #owner: SocketOwner;
  readonly #unanswered = new Map<string, (answer: Answer<ClientRequestType> | undefined) => void>();
  readonly #ended = new AbortController();
  #isOpen = false;
  #isSilent = false;
  /** By when, on the clock of `performance`, something has to come; undefined while nothing was asked. */
  #answersBy: number | undefined;
  #receivedAt = 0;
  /** By the wall clock, which goes on while the machine sleeps. */
  #receivedAtWall = Date.now();
  /** One at a time: for opening, then the next look at the clock, or the answer to a keep-alive. */
  #timer: ReturnType<typeof setTimeout>;
  #onClosed: (() => void) | undefined;

  /** @throws when the WebSocket refuses the url */
  constructor(settings: Settings, owner: SocketOwner) {
    this.#settings = settings;
    this.#owner = owner;
    const webSocket = new settings.WebSocket(settings.url);
    this.#webSocket = webSocket;
    this.#timer = setTimeout(() => this.#break('not open in time'), settings.connectTimeoutMs);
    webSocket.addEventListener('open', () => this.#open());
    webSocket.addEventListener('message', ({ data }) => this.#receive(data));
    // The close that follows says what went wrong.
    webSocket.addEventListener('error', () => undefined);
    webSocket.addEventListener('close', ({ code, reason }) => {
      this.#onClosed?.();
      this.#end(code, reason);
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether it ended because nothing came any more. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Aborts when the socket ends. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * @param patience `in time`: a socket that leaves the request unanswered is given up; else the answer may take as long
   *   as the socket lives
   * @returns undefined when the connection broke before the answer: the outcome is unknown
   */
  request<T extends ClientRequestType>(
    type: T,
    id: string,
    payload: PayloadOf<T>,
    patience: 'in time' | 'however long it takes' = 'in time',
  ): Promise<Answer<T> | undefined> {
    if (!this.#isOpen) return Promise.resolve(undefined);
    if (Date.now() - this.#receivedAtWall > quietMs) this.doubt();
    return new Promise<Answer<ClientRequestType> | undefined>((resolve) => {
      const { answerTimeoutMs } = this.#settings;
      const giveUp = () => this.#break('a request had no answer');
      const timer = patience === 'in time' ? setTimeout(giveUp, answerTimeoutMs) : undefined;
      this.#unanswered.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#write(id, type, payload);
    }) as Promise<Answer<T> | undefined>;
  }

  acknowledge<T extends AcknowledgementType>(type: T, id: string, payload: PayloadOf<T>): void {
    if (this.#isOpen) this.#write(id, type, payload);
  }

  /**
   * There is a reason to ask whether the connection lives: it is ended soon if nothing comes. One that has been
   * about to open for long is ended now.
   */
  doubt(): void {
    if (this.#isOpen) this.#probe(this.#settings.doubtTimeoutMs);
    else if (Date.now() - this.#receivedAtWall > quietMs) this.#break('not open in time');
  }

  /** Closes behind everything that was sent. @returns when it is closed, or as good as that */
  async finish(): Promise<void> {
    if (this.ended.aborted) return;
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve;
    });
    this.#end(1000, '');
    const timer = setTimeout(() => {
      this.#webSocket.terminate?.();
      this.#onClosed?.();
    }, this.#settings.keepAliveTimeoutMs);
    await closed;
    clearTimeout(timer);
  }

  /** Ends it at once, for a reason that only this side knows. */
  #break(reason: string): void {
    this.#end(brokenCode, reason);
    // Without this, the `ws` of Node waits half a minute for the close frame of the other side.
    this.#webSocket.terminate?.();
  }

  #open(): void {
    if (this.ended.aborted) return;
    this.#isOpen = true;
    clearTimeout(this.#timer);
    this.#noteReceived();
    this.#watch();
    this.#owner.onOpen(this);
  }

  #end(code: number, reason: string): void {
    if (this.ended.aborted) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#ended.abort();
    this.#webSocket.close(1000);
    for (const settle of this.#unanswered.values()) settle(undefined);
    this.#unanswered.clear();
    this.#owner.onEnd(this, code, reason);
  }

  /**
   * Looks at the clock now and then. Quiet for long is a reason to ask, and so is a look that comes late: the
   * machine slept, or this process or page was stopped, and the connection may not have survived it.
   */
  #watch(): void {
    const left = this.#settings.keepAliveMs - (performance.now() - this.#receivedAt);
    if (left <= 0) this.#probe(this.#settings.keepAliveTimeoutMs);
    else this.#wake(Math.min(left, lookMs), (isLate) => (isLate ? this.doubt() : this.#watch()));
  }

  /** Asks for a sign of life, and ends the socket if none comes in time. */
  #probe(timeoutMs: number): void {
    if (!this.#isOpen) return;
    const answersBy = performance.now() + timeoutMs;
    if (this.#answersBy !== undefined && this.#answersBy <= answersBy) return;
    if (this.#answersBy === undefined) this.#write(uuid(), 'CONN_KEEP_ALIVE_REQUEST', {});
    this.#answersBy = answersBy;
    this.#wake(timeoutMs, (isLate) => {
      const isAnswered = this.#answersBy === undefined;
      this.#answersBy = undefined;
      // The answer may have come, and not have been read, while nothing ran here: ask again.
      if (isLate) this.doubt();
      else if (isAnswered) this.#watch();
      else this.#giveUp();
    });
  }

  #giveUp(): void {
    this.#isSilent = true;
    this.#break('no answer to a keep-alive');
  }

  #wake(ms: number, body: (isLate: boolean) => void): void {
    clearTimeout(this.#timer);
    const dueAt = Date.now() + ms;
    this.#timer = setTimeout(() => body(Date.now() - dueAt > lateMs), ms);
  }

  #noteReceived(): void {
    this.#receivedAt = performance.now();
    this.#receivedAtWall = Date.now();
    this.#answersBy = undefined;
  }

  #write(id: string, type: string, payload: object): void {
    this.#webSocket.send(JSON.stringify({ id, type, payload }));
  }

  #receive(data: unknown): void {
    if (!this.#isOpen) return;
    this.#noteReceived();
    const frame = parse(data);
    const { id, type, payload } = frame;
    if (typeof id !== 'string' || typeof type !== 'string' || !payload) return;
    if (type === 'MESSAGING_DELIVER_REQUEST' || type === 'GROUP_DELIVER_REQUEST') {
      this.#owner.onDelivery(this, frame as Frame<DeliveryType>);
      return;
    }
    const settle = this.#unanswered.get(id);
    const ok = type.endsWith('_SUCCESS');
    if (!settle || !(ok || type.endsWith('_FAILURE'))) return;
    this.#unanswered.delete(id);
    const { errors } = payload;
    if (ok) settle({ ok, payload: payload as PayloadOf<SuccessOf<ClientRequestType>> });
    else settle({ ok, errors: Array.isArray(errors) ? errors.map(String) : [] });
  }
}

/** A frame that cannot be read is ignored, as the protocol demands. */
function parse(data: unknown): Received {
  try {
    return (JSON.parse(String(data)) ?? {}) as Received;
  } catch {
    return {};
  }
}
