import { phoneOf } from '@hooligram/protocol';
import { WebSocket } from 'ws';
import { type FrameMatch, isAnswer, type Question, type ReceivedFrame } from './frame.ts';
import { Inbox } from './inbox.ts';

/** The code of every number on a test system. */
const testCode = '000000';

export type ProtocolClientOptions = {
  /** How long the opening and every wait last at most. */
  readonly timeoutMs: number;
  /** Which deliveries are acknowledged as they come. Default true: all of them, as a well-behaved client does. */
  readonly acknowledge?: boolean | ((delivery: ReceivedFrame) => boolean);
  readonly headers?: Readonly<Record<string, string>>;
  /** The address of this machine to connect from, such as 127.0.0.2. */
  readonly localAddress?: string;
  /** Reads a text of the server. The client ignores the text when it returns undefined. Default: any JSON is a frame. */
  readonly readFrame?: (text: string) => ReceivedFrame | undefined;
  /** Called with every text that is sent or received, and with code and reason of the close. */
  readonly onExchange?: (direction: 'sent' | 'received' | 'closed', text: string) => void;
};

export type Close = { readonly code: number; readonly reason: string };

/** One connection to a server of Protocol V2, opened at once. It keeps every frame that it received. */
export class ProtocolClient {
  readonly socket: WebSocket;
  /** Rejects when the connection does not open. */
  readonly opened: Promise<void>;
  protected readonly inbox = new Inbox();
  readonly #options: ProtocolClientOptions;
  readonly #closed: Promise<Close>;
  #lastId = 0;

  constructor(url: string, options: ProtocolClientOptions) {
    const { headers = {}, localAddress, timeoutMs, onExchange } = options;
    this.#options = options;
    const socket = new WebSocket(url, {
      headers,
      perMessageDeflate: false,
      handshakeTimeout: timeoutMs,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.socket = socket;
    socket.on('message', (data) => this.#receive(String(data)));
    this.opened = new Promise((resolve, reject) => {
      socket.once('open', resolve);
      // Later errors come here too, and are followed by the close.
      socket.on('error', reject);
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        const how = `${code} ${reason}`.trim();
        onExchange?.('closed', how);
        this.inbox.close(how);
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /** Resolves when the connection is closed, by whichever side. */
  get closed(): Promise<Close> {
    return this.#closed;
  }

  /** Every frame received so far, in order, taken or not. */
  get frames(): readonly ReceivedFrame[] {
    return this.inbox.frames;
  }

  received(type: string): ReceivedFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Sends a string as a text message, bytes as a binary one. */
  sendRaw(data: string | Uint8Array): void {
    this.#options.onExchange?.('sent', typeof data === 'string' ? data : `(binary) ${Buffer.from(data)}`);
    this.socket.send(data);
  }

  /** Sends a frame and waits for nothing. @param id default: the count of this connection: "1", "2", "3" */
  send(type: string, payload: unknown, id = this.#nextId()): string {
    this.sendRaw(JSON.stringify({ id, type, payload }));
    return id;
  }

  /**
   * Sends a request and takes its answer, success or failure.
   * @param type with or without `_REQUEST`: `GROUP_CREATE`, `GROUP_CREATE_REQUEST`
   */
  async request(type: string, payload: unknown, id = this.#nextId()): Promise<ReceivedFrame> {
    const name = type.replace(/_REQUEST$/, '');
    const after = this.frames.length;
    this.send(`${name}_REQUEST`, payload, id);
    return this.answer(name, id, after);
  }

  /** Takes the answer to a request that was sent already. @param after how many frames came before it at least */
  answer(name: string, id: string, after = 0): Promise<ReceivedFrame> {
    const what = `the answer to ${name}_REQUEST ${JSON.stringify(id)}`;
    return this.next((frame) => isAnswer(frame, name, id), what, after);
  }

  /** As `request`. @throws when the answer is a failure */
  async requestOk(type: string, payload: unknown, id?: string): Promise<ReceivedFrame> {
    const answer = await this.request(type, payload, id);
    if (!answer.type.endsWith('_SUCCESS')) throw new Error(`${type} failed: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Takes the first frame that matches and was not taken yet, whether it is here or yet to come. */
  next(
    match: FrameMatch,
    what = typeof match === 'string' ? match : `a frame with ${match}`,
    after = 0,
  ): Promise<ReceivedFrame> {
    return this.inbox.next(match, this.#options.timeoutMs, what, after);
  }

  /** Waits until a question to all frames received has an answer other than undefined or false. Takes no frame. */
  waitFor<T>(
    question: Question<T>,
    what = String(question),
    timeoutMs = this.#options.timeoutMs,
  ): Promise<T> {
    return this.inbox.until(question, timeoutMs, what);
  }

  /** Requests a code and submits it, so that it is the credential of the number. */
  async register(sid: string, code = testCode): Promise<void> {
    await this.requestOk('VERIFICATION_REQUEST_CODE', phoneOf(sid));
    await this.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code: code });
  }

  async authorize(sid: string, code = testCode): Promise<ReceivedFrame> {
    return this.requestOk('AUTHORIZATION_SIGN_IN', { ...phoneOf(sid), verification_code: code });
  }

  async signIn(sid: string, code = testCode): Promise<ReceivedFrame> {
    await this.register(sid, code);
    return this.authorize(sid, code);
  }

  /** Acknowledges a delivery. @param id default: one of the client, as the mobile client does */
  acknowledge({ type, payload: { message_id, group_id } }: ReceivedFrame, id?: string): void {
    if (type === 'MESSAGING_DELIVER_REQUEST') this.send('MESSAGING_DELIVER_SUCCESS', { message_id }, id);
    else if (type === 'GROUP_DELIVER_REQUEST') this.send('GROUP_DELIVER_SUCCESS', { group_id }, id);
    else throw new Error(`not a delivery: ${type}`);
  }

  /** Resolves when the server has received everything that was sent before, and the connection is served. */
  async roundTrip(): Promise<void> {
    await this.requestOk('CONN_KEEP_ALIVE', {});
  }

  /** Closes the connection as a client does, and waits until it is closed. */
  async close(code = 1000): Promise<Close> {
    this.socket.close(code);
    const timer = setTimeout(() => this.socket.terminate(), this.#options.timeoutMs);
    return this.#closed.finally(() => clearTimeout(timer));
  }

  /** Ends the connection without a close frame. */
  terminate(): void {
    this.socket.terminate();
  }

  #receive(text: string): void {
    const { acknowledge = true, onExchange, readFrame = JSON.parse } = this.#options;
    onExchange?.('received', text);
    const frame: ReceivedFrame | undefined = readFrame(text);
    if (!frame) return;
    const isDelivery = /^(MESSAGING|GROUP)_DELIVER_REQUEST$/.test(frame.type);
    if (isDelivery && (typeof acknowledge === 'function' ? acknowledge(frame) : acknowledge)) {
      this.acknowledge(frame);
    }
    this.inbox.push(frame);
  }

  #nextId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }
}
