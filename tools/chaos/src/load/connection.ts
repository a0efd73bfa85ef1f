import { randomUUID } from 'node:crypto';
import { type ClientFrameType, encodeFrame, type PayloadOf } from '@hooligram/protocol';
import { ProtocolClient, type ReceivedFrame } from '@hooligram/protocol-client';

const openTimeoutMs = 5_000;
const replyTimeoutMs = 20_000;
/** Quiet for so long, it asks whether the server is there; quiet for longer, it gives the connection up. */
const quietMs = 15_000;
const deadMs = 22_000;

export type ConnectionOwner = {
  /** Called with every frame and its text, before anything else is done with it. */
  readonly onText?: (text: string, frame: ReceivedFrame) => void;
  /** Called with every frame that does not answer a request that `request` made. */
  readonly onFrame: (frame: ReceivedFrame) => void;
};

/** One WebSocket that lives until it is cut: it notices a server that is gone, and can stop reading. */
export class Connection {
  /** Resolves with the close code, once. */
  readonly closed: Promise<number>;
  readonly #client: ProtocolClient;
  readonly #owner: ConnectionOwner;
  #pendingId: string | undefined;
  #receivedAt = performance.now();
  #isAbandoned = false;

  private constructor(url: string, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#client = new ProtocolClient(url, {
      timeoutMs: replyTimeoutMs,
      acknowledge: false,
      readFrame: (text) => this.#read(text),
    });
    const watch = setInterval(() => this.#watch(), 1_000);
    this.closed = this.#client.closed.then(({ code }) => {
      clearInterval(watch);
      return code;
    });
  }

  /** @throws Error when it does not open in time */
  static async open(url: string, owner: ConnectionOwner): Promise<Connection> {
    const connection = new Connection(url, owner);
    const timer = setTimeout(() => connection.cut(), openTimeoutMs);
    await connection.#client.opened.finally(() => clearTimeout(timer));
    return connection;
  }

  send<T extends ClientFrameType>(type: T, id: string, payload: PayloadOf<T>): void {
    this.sendText(encodeFrame(type, id, payload));
  }

  sendText(text: string): void {
    this.#client.sendRaw(text);
  }

  /** One at a time. @throws Error when it is refused, or not answered in time */
  async request(type: string, payload: object, id: string): Promise<void> {
    this.#pendingId = id;
    await this.#client.requestOk(type, payload, id);
  }

  /** Ends it without a close frame, as a process does that dies. */
  cut(): void {
    this.#client.terminate();
  }

  /** Stops reading: the frames of the server fill the buffers in between. */
  pause(): void {
    this.#client.socket.pause();
    this.#receivedAt = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    this.#receivedAt = performance.now();
    this.#client.socket.resume();
  }

  /** Stops reading and closes nothing, as a machine does that has lost its network. */
  abandon(): void {
    this.#isAbandoned = true;
    this.pause();
  }

  /** @returns the frame if it is the answer that `request` waits for; the client would keep any other in memory */
  #read(text: string): ReceivedFrame | undefined {
    if (this.#isAbandoned) return undefined;
    this.#receivedAt = performance.now();
    const frame = JSON.parse(text) as ReceivedFrame;
    this.#owner.onText?.(text, frame);
    if (frame.id === this.#pendingId && !frame.type.endsWith('_REQUEST')) return frame;
    this.#owner.onFrame(frame);
    return undefined;
  }

  #watch(): void {
    const quietForMs = performance.now() - this.#receivedAt;
    if (quietForMs > deadMs) this.cut();
    else if (quietForMs > quietMs) this.send('CONN_KEEP_ALIVE_REQUEST', randomUUID(), {});
  }
}
