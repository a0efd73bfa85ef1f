import { WebSocket } from 'ws';
import type { FrameMatch, ReceivedFrame } from './frame.ts';
import { Inbox } from './inbox.ts';
import { patienceMs, within } from './patience.ts';

const localCode = '000000';

export interface TestClientOptions {
  /**
   * Which deliveries are acknowledged as they come. Default true: all of them, as a well-behaved client does.
   * The mobile client never acknowledges groups: `(frame) => frame.type.startsWith('MESSAGING')`.
   */
  readonly acknowledge?: boolean | ((frame: ReceivedFrame) => boolean);
  readonly headers?: Readonly<Record<string, string>>;
  /** How long every wait lasts at most. Default `patienceMs`; shorter only to see a wait fail. */
  readonly patienceMs?: number;
}

/** Opens a connection to a gateway. */
export async function connect(url: string, options: TestClientOptions = {}): Promise<TestClient> {
  const socket = new WebSocket(url, {
    headers: options.headers ?? {},
    perMessageDeflate: false,
    handshakeTimeout: patienceMs,
  });
  const client = new TestClient(socket, options);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return client;
}

/** A client of Protocol V2 for tests. It keeps all that it received, and waits for the thing itself. */
export class TestClient {
  readonly socket: WebSocket;
  readonly #inbox: Inbox;
  readonly #acknowledge: (frame: ReceivedFrame) => boolean;
  readonly #closed: Promise<{ code: number; reason: string }>;
  #lastId = 0;

  constructor(socket: WebSocket, options: TestClientOptions) {
    this.socket = socket;
    this.#inbox = new Inbox(options.patienceMs ?? patienceMs);
    const acknowledge = options.acknowledge ?? true;
    this.#acknowledge = typeof acknowledge === 'function' ? acknowledge : () => acknowledge;
    socket.on('message', (data) => this.#receive(String(data)));
    socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#inbox.close(`code ${code} ${reason}`);
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /** Resolves when the connection is closed, by whichever side; waits no longer than `patienceMs`. */
  get closed(): Promise<{ code: number; reason: string }> {
    return within('until the connection is closed', this.#closed, () => this.#inbox.describe());
  }

  /** Every frame received so far, in order, taken or not. */
  get frames(): readonly ReceivedFrame[] {
    return this.#inbox.frames;
  }

  /** The frames received so far of one type. */
  received(type: string): ReceivedFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Sends bytes or text as they are. A string goes as a text frame, a buffer as a binary one. */
  sendRaw(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  /** Sends a frame and waits for nothing. `id` defaults to this connection's count: "1", "2", "3". */
  send(type: string, payload: unknown, id = this.#nextId()): string {
    this.sendRaw(JSON.stringify({ id, type, payload }));
    return id;
  }

  /**
   * Sends a request and takes its answer, success or failure.
   * @param type with or without `_REQUEST`: `GROUP_CREATE`, `GROUP_CREATE_REQUEST`
   */
  async request(type: string, payload: unknown, id = this.#nextId()): Promise<ReceivedFrame> {
    const transaction = type.replace(/_REQUEST$/, '');
    this.send(`${transaction}_REQUEST`, payload, id);
    const answers = [`${transaction}_SUCCESS`, `${transaction}_FAILURE`, 'CONN_FRAME_FAILURE'];
    const isAnswer = (frame: ReceivedFrame) => frame.id === id && answers.includes(frame.type);
    return this.#inbox.next(isAnswer, `the answer to ${transaction} ${id}`);
  }

  /** As request, but fails when the answer is a failure. */
  async requestOk(type: string, payload: unknown, id?: string): Promise<ReceivedFrame> {
    const answer = await this.request(type, payload, id);
    if (!answer.type.endsWith('_SUCCESS')) throw new Error(`${type} failed: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Takes the first frame that matches and was not taken yet, whether it is here already or yet to come. */
  next(match: FrameMatch): Promise<ReceivedFrame> {
    return this.#inbox.next(match, typeof match === 'string' ? match : `a frame with ${match}`);
  }

  /** Waits until a question to all frames received is answered by something else than undefined or false. */
  waitFor<T>(question: (frames: readonly ReceivedFrame[]) => T | undefined | false): Promise<T> {
    return this.#inbox.until(question, String(question));
  }

  /** Asks for a code and submits the one of test systems, so that the number has its credential. */
  async register(sid: string): Promise<void> {
    const { country_code, phone_number } = numbersOf(sid);
    await this.requestOk('VERIFICATION_REQUEST_CODE', { country_code, phone_number });
    await this.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code: localCode });
  }

  /** Signs in with the credential that the number has. */
  async authorize(sid: string, verificationCode = localCode): Promise<ReceivedFrame> {
    return this.requestOk('AUTHORIZATION_SIGN_IN', {
      ...numbersOf(sid),
      verification_code: verificationCode,
    });
  }

  /** Registers and signs in. */
  async signIn(sid: string): Promise<ReceivedFrame> {
    await this.register(sid);
    return this.authorize(sid);
  }

  /** Acknowledges a delivery, with an id of its own as the mobile client does. */
  acknowledge(frame: ReceivedFrame): void {
    const { message_id, group_id } = frame.payload;
    if (frame.type === 'MESSAGING_DELIVER_REQUEST') this.send('MESSAGING_DELIVER_SUCCESS', { message_id });
    else if (frame.type === 'GROUP_DELIVER_REQUEST') this.send('GROUP_DELIVER_SUCCESS', { group_id });
    else throw new Error(`not a delivery: ${frame.type}`);
  }

  /** Resolves when everything that this client sent before, and was answered by the gateway itself, is through. */
  async roundTrip(): Promise<void> {
    await this.requestOk('CONN_KEEP_ALIVE', {});
  }

  /** Closes the connection as a client does, and waits until it is closed. */
  async close(code = 1000): Promise<void> {
    this.socket.close(code);
    await this.closed;
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.socket.terminate();
  }

  #receive(text: string): void {
    const frame = JSON.parse(text) as ReceivedFrame;
    const isDelivery = /^(MESSAGING|GROUP)_DELIVER_REQUEST$/.test(frame.type);
    if (isDelivery && this.#acknowledge(frame)) this.acknowledge(frame);
    this.#inbox.push(frame);
  }

  #nextId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }
}

function numbersOf(sid: string): { country_code: string; phone_number: string } {
  const [country_code = '', phone_number = ''] = sid.split('.');
  return { country_code, phone_number };
}
