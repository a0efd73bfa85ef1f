import type { Codec, RequestName, ServerEvents } from './codec.ts';
import { LoadWebSocket } from './websocket.ts';

/** What a client reports. */
export type ClientEvents = {
  onMessage(client: LoadClient, groupId: number, number: number): void;
  onGroup(): void;
  /** @param fault a sentence for the report */
  onFault(fault: string): void;
};

export type OnReply = (isSuccess: boolean, payload: () => unknown) => void;

/** One user with one connection, who acknowledges every delivery at once. */
export class LoadClient implements ServerEvents {
  readonly sid: string;
  readonly #url: string;
  readonly #codec: Codec;
  readonly #code: string;
  readonly #events: ClientEvents;
  readonly #localAddress: string | undefined;
  /** By the id of the request. */
  readonly #pending = new Map<string, OnReply>();
  #socket: LoadWebSocket | undefined;
  #opened: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #isLeaving = false;
  #onlineSince = Number.POSITIVE_INFINITY;

  /**
   * @param code the verification code that the server accepts
   * @param localAddress from which it connects; default: any
   */
  constructor(
    sid: string,
    url: string,
    codec: Codec,
    code: string,
    events: ClientEvents,
    localAddress?: string,
  ) {
    this.sid = sid;
    this.#url = url;
    this.#codec = codec;
    this.#code = code;
    this.#events = events;
    this.#localAddress = localAddress;
  }

  /** When it signed in, in milliseconds of the process's clock; infinity while it is not signed in. */
  get onlineSince(): number {
    return this.#onlineSince;
  }

  /** Whether a request of it has no answer yet. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  connect(): Promise<void> {
    this.#isLeaving = false;
    return new Promise((resolve, reject) => {
      this.#opened = resolve;
      this.#failed = reject;
      // The socket of an earlier connection may still receive frames, or close, when the next one is open.
      const isCurrent = () => this.#socket === socket && !this.#isLeaving;
      const events = {
        onOpen: () => (this.#codec.greeting ? socket.send(this.#codec.greeting) : this.onReady()),
        onText: (chunk: string, start: number, end: number) => isCurrent() && this.#read(chunk, start, end),
        onClose: (reason: string) => isCurrent() && this.#closed(reason),
      };
      const socket = new LoadWebSocket(this.#url, events, this.#localAddress);
      this.#socket = socket;
    });
  }

  /** Proves the number, so that the user exists and can sign in. */
  async signUp(): Promise<void> {
    const [country_code, phone_number] = this.sid.split('.');
    await this.request('VERIFICATION_REQUEST_CODE', { country_code, phone_number });
    await this.request('VERIFICATION_SUBMIT_CODE', { verification_code: this.#code });
  }

  async signIn(): Promise<void> {
    const [country_code, phone_number] = this.sid.split('.');
    await this.request('AUTHORIZATION_SIGN_IN', {
      country_code,
      phone_number,
      verification_code: this.#code,
    });
    this.#onlineSince = performance.now();
  }

  /** Connects a user who has signed up before. */
  async connectAndSignIn(): Promise<void> {
    await this.connect();
    await this.signIn();
  }

  /**
   * @returns the payload of the SUCCESS
   * @throws Error when the request is refused, or the connection ends first
   */
  request(name: RequestName, payload: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      this.send(name, payload, (isSuccess, answer) => {
        if (isSuccess) resolve(answer());
        else reject(new Error(`${name} was refused: ${JSON.stringify(answer())}`));
      });
    });
  }

  /** Sends a request. @param onReply is called with its answer, if one comes */
  send(name: RequestName, payload: object, onReply: OnReply): void {
    const id = this.#codec.newId();
    this.#pending.set(id, onReply);
    this.#socket?.send(this.#codec.request(name, id, payload));
  }

  disconnect(): void {
    this.#isLeaving = true;
    this.#onlineSince = Number.POSITIVE_INFINITY;
    this.#pending.clear();
    this.#socket?.close();
  }

  onReady(): void {
    this.#opened?.();
  }

  onMessage(groupId: number, messageId: number, number: number): void {
    this.#socket?.send(this.#codec.acknowledgeMessage(messageId));
    this.#events.onMessage(this, groupId, number);
  }

  onGroup(groupId: number): void {
    const acknowledgement = this.#codec.acknowledgeGroup(groupId);
    if (acknowledgement) this.#socket?.send(acknowledgement);
    this.#events.onGroup();
  }

  onReply(id: string, isSuccess: boolean, payload: () => unknown): void {
    const onReply = this.#pending.get(id);
    this.#pending.delete(id);
    onReply?.(isSuccess, payload);
  }

  #read(chunk: string, start: number, end: number): void {
    const reply = this.#codec.read(chunk, start, end, this);
    if (reply) this.#socket?.send(reply);
  }

  #closed(reason: string): void {
    const fault = `the connection of ${this.sid} ended: ${reason}`;
    this.#events.onFault(fault);
    this.#failed?.(new Error(fault));
  }
}
