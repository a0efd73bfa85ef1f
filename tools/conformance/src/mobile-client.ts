import { phoneOf } from '@hooligram/protocol';
import { Inbox, isAnswer, type Question, type ReceivedFrame } from '@hooligram/protocol-client';
import { WebSocket } from 'ws';
import { MobileHabits, mobileReconnectMs } from './mobile-habits.ts';
import { readFrame } from './read-frame.ts';

export type MobileClientOptions = {
  readonly url: string;
  readonly sid: string;
  /** The credential of the number, with which it signs in as soon as a connection is open. */
  readonly code: string;
  /** How long every wait lasts at most. */
  readonly timeoutMs: number;
  /** Called with every frame that it sends or receives, and with every close by the server. */
  readonly onExchange?: (direction: 'sent' | 'received' | 'closed', text: string) => void;
  /** Called with what no server may ever send. */
  readonly onViolation?: (what: string) => void;
};

/**
 * A client that behaves as the mobile client of this protocol does (`MobileHabits`): it signs in when it opens, and a
 * second after every close it opens again. It keeps all that it was sent, over all its connections.
 */
export class MobileClient {
  readonly sid: string;
  /** Every close of a connection by the server or the network. */
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  readonly #options: MobileClientOptions;
  readonly #habits: MobileHabits;
  readonly #inbox = new Inbox();
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #sent = 0;

  constructor(options: MobileClientOptions) {
    this.#options = options;
    this.sid = options.sid;
    this.#habits = new MobileHabits((text) => this.#write(text));
    this.#connect();
  }

  get frames(): readonly ReceivedFrame[] {
    return this.#inbox.frames;
  }

  /** How many frames it has sent on all its connections. */
  get sent(): number {
    return this.#sent;
  }

  /** Waits until a question to all frames received has an answer. @param what it waits for, in words */
  until<T>(question: Question<T>, what: string): Promise<T> {
    return this.#inbox.until(question, this.#options.timeoutMs, what);
  }

  /** The first frame that matches. @param after how many frames were there before it */
  next(match: (frame: ReceivedFrame) => boolean, what: string, after = 0): Promise<ReceivedFrame> {
    return this.until((frames) => frames.slice(after).find(match), what);
  }

  /** Resolves when it has signed in `times` times. Each time but the first comes after its pause. */
  async signedIn(times = 1): Promise<void> {
    const isIt = ({ type }: ReceivedFrame) => type === 'AUTHORIZATION_SIGN_IN_SUCCESS';
    const isDone = (frames: readonly ReceivedFrame[]) => frames.filter(isIt).length >= times;
    await this.#inbox.until(isDone, this.#options.timeoutMs + mobileReconnectMs, `sign-in ${times}`);
  }

  request(name: string, payload: object): Promise<ReceivedFrame> {
    const after = this.frames.length;
    const id = this.#habits.request(`${name}_REQUEST`, payload);
    return this.next((frame) => isAnswer(frame, name, id), `the answer to ${name}_REQUEST ${id}`, after);
  }

  /** Something happens on its screens, which it sends to the server, too. */
  act(type: string): void {
    this.#habits.act(type);
  }

  /** Breaks its connection without a close frame; it comes back by itself. */
  cut(): void {
    this.#socket?.terminate();
  }

  /** Closes its connection and opens no other. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close(1000);
    const timer = setTimeout(() => socket.terminate(), this.#options.timeoutMs);
    await closed;
    clearTimeout(timer);
  }

  #connect(): void {
    const { url, sid, code } = this.#options;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('open', () => {
      this.#habits.act('WEBSOCKET_OPEN', { host: url });
      this.#habits.request('AUTHORIZATION_SIGN_IN_REQUEST', { ...phoneOf(sid), verification_code: code });
    });
    socket.on('message', (data) => this.#receive(String(data)));
    // Followed by its close.
    socket.on('error', () => undefined);
    socket.on('close', (closeCode, reason) => this.#onClose(closeCode, String(reason)));
  }

  #onClose(code: number, reason: string): void {
    if (this.#isStopped) {
      this.#inbox.close('stopped');
      return;
    }
    this.#options.onExchange?.('closed', `${code} ${reason}`.trim());
    this.closes.push({ code, reason });
    this.#habits.act('WEBSOCKET_CLOSE');
    this.#timer = setTimeout(() => this.#connect(), mobileReconnectMs);
  }

  #receive(text: string): void {
    this.#options.onExchange?.('received', text);
    const frame = readFrame(text);
    if (typeof frame === 'string') {
      this.#options.onViolation?.(`${frame}: ${text}`);
      return;
    }
    this.#habits.receive(text, frame);
    const { message_id } = frame.payload;
    if (frame.type === 'MESSAGING_DELIVER_REQUEST' && message_id !== undefined) {
      this.#habits.acknowledge(message_id);
    }
    this.#inbox.push(frame);
  }

  #write(text: string): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#sent += 1;
    this.#options.onExchange?.('sent', text);
    this.#socket.send(text);
  }
}
