import { randomUUID } from 'node:crypto';
import { type ClientFrameType, encodeFrame, type PayloadOf } from '@hooligram/protocol';
import { WebSocket } from 'ws';
import { now } from './clock.ts';

/** A frame from the server, as loosely as a client may read it. */
export type ServerFrame = {
  readonly id: string;
  readonly type: string;
  readonly payload: {
    readonly errors?: readonly string[];
    readonly group_id?: number;
    readonly message_id?: number;
    readonly content?: string;
    readonly sender_sid?: string;
    readonly member_sids?: readonly string[];
  };
};

const openTimeoutMs = 5_000;
const answerTimeoutMs = 20_000;
/** Quiet for so long, it asks whether the server is there; quiet for longer, it is not. */
const quietMs = 15_000;
const deadMs = 22_000;

export type ConnectionOwner = {
  /** Every frame as it came, before anything else is done with it. */
  readonly onText?: (text: string, frame: ServerFrame) => void;
  /** What does not answer a request that `ask` made. */
  readonly onFrame: (frame: ServerFrame) => void;
};

/** One WebSocket. */
export class Connection {
  /** Resolves with the close code, once. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #asked = new Map<string, (frame: ServerFrame) => void>();
  #heardAt = now();
  #isAbandoned = false;

  private constructor(socket: WebSocket, { onText, onFrame }: ConnectionOwner) {
    this.#socket = socket;
    const watch = setInterval(() => this.#watch(), 1_000);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        clearInterval(watch);
        resolve(code);
      });
    });
    socket.on('message', (data) => {
      if (this.#isAbandoned) return;
      this.#heardAt = now();
      const text = String(data);
      const frame = JSON.parse(text) as ServerFrame;
      onText?.(text, frame);
      const answered = this.#asked.get(frame.id);
      if (answered && !frame.type.endsWith('_REQUEST')) answered(frame);
      else onFrame(frame);
    });
  }

  static async open(url: string, owner: ConnectionOwner): Promise<Connection> {
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: openTimeoutMs });
    const connection = new Connection(socket, owner);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      // Stays as the listener of later errors too, each of which is followed by 'close'.
      socket.on('error', reject);
    });
    return connection;
  }

  send<T extends ClientFrameType>(type: T, id: string, payload: PayloadOf<T>): void {
    this.sendText(encodeFrame(type, id, payload));
  }

  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** @throws when it is refused, or not answered in time */
  async ask<T extends ClientFrameType>(type: T, payload: PayloadOf<T>, id: string): Promise<void> {
    const frame = await new Promise<ServerFrame>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${type}: no answer`)), answerTimeoutMs);
      this.#asked.set(id, resolve);
      void this.closed.then(() => reject(new Error(`${type}: closed`)));
      this.send(type, id, payload);
      void this.closed.finally(() => clearTimeout(timer));
    }).finally(() => this.#asked.delete(id));
    if (!frame.type.endsWith('_SUCCESS')) throw new Error(`${type}: ${frame.payload.errors?.join('; ')}`);
  }

  /** Ends it as a process that dies does: without a close frame. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Stops reading: what the server sends fills the buffers between. */
  pause(): void {
    this.#socket.pause();
    this.#heardAt = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    this.#heardAt = now();
    this.#socket.resume();
  }

  /** Stops reading for ever and closes nothing, as a machine does that lost its network. */
  abandon(): void {
    this.#isAbandoned = true;
    this.pause();
  }

  #watch(): void {
    const quietForMs = now() - this.#heardAt;
    if (quietForMs > deadMs) this.cut();
    else if (quietForMs > quietMs) this.send('CONN_KEEP_ALIVE_REQUEST', randomUUID(), {});
  }
}
