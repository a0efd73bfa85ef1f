import { randomUUID } from 'node:crypto';
import { type ClientFrameType, encodeFrame, type PayloadOf } from '@hooligram/protocol';
import { ProtocolClient, type ReceivedFrame } from '@hooligram/protocol-client';

const openTimeoutMs = 5_000;
const replyTimeoutMs = 20_000;
/** Quiet for so long, it asks whether the server is there; quiet for longer, it gives the connection up. */
const quietMs = 15_000;
const deadMs = 22_000;

type OnFrame = (frame: ReceivedFrame, text: string) => void;

/** One WebSocket that lives until it is cut: it notices a server that is gone, and can stop reading. */
export class Connection {
  /** Resolves with the close code, once. */
  readonly closed: Promise<number>;
  readonly #client: ProtocolClient;
  readonly #onFrame: OnFrame;
  #pendingId: string | undefined;
  #receivedAt = performance.now();
  #isAbandoned = false;

  private constructor(url: string, onFrame: OnFrame) {
    this.#onFrame = onFrame;
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

  /**
   * @param onFrame is called with every frame and its text
   * @throws Error when it does not open in time
   */
  static async open(url: string, onFrame: OnFrame): Promise<Connection> {
    const connection = new Connection(url, onFrame);
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
    this.#onFrame(frame, text);
    return frame.id === this.#pendingId && !frame.type.endsWith('_REQUEST') ? frame : undefined;
  }

  #watch(): void {
    const quietForMs = performance.now() - this.#receivedAt;
    if (quietForMs > deadMs) this.cut();
    else if (quietForMs > quietMs) this.send('CONN_KEEP_ALIVE_REQUEST', randomUUID(), {});
  }
}
