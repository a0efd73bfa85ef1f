import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';

const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const isMasked = 0x80;
const isLast = 0x80;
const chunkBytes = 256 * 1024;

/** All connections read into the same memory: a chunk is handled before the next one is read. */
const shared = Buffer.allocUnsafe(chunkBytes);

export type WebSocketEvents = {
  onOpen(): void;
  /**
   * One text, as a part of a chunk that was decoded as Latin-1: the load generator reads ASCII only.
   * Frames that are sent meanwhile leave together, when the chunk has been handled.
   */
  onText(chunk: string, start: number, end: number): void;
  /** @param reason why the connection ended, as a text for the report */
  onClose(reason: string): void;
};

/**
 * A WebSocket client that costs as little as possible, so that the load generator is not the limit: one read buffer
 * for all connections, one string a chunk, one write for all frames that a chunk has caused. A delivery received and
 * acknowledged takes 1.6 microseconds of CPU here and 17 with the package `ws`, which is three times what our servers
 * need for it in the workload fanout (`node tools/bench/test/websocket-cost.mjs`, medians of three, on two cores).
 *
 * RFC 6455 without what our servers never send: no extensions. It masks with a key of zeros, which the
 * RFC's form allows and which costs nothing; a real client must choose keys at random, to protect proxies.
 */
export class LoadWebSocket {
  readonly #events: WebSocketEvents;
  readonly #socket: Socket;
  #isOpen = false;
  #isReading = false;
  #outgoing = '';
  /** The beginning of a frame, or of the HTTP answer, that the last chunk ended in. */
  #rest: Buffer | undefined;
  /** The fragments of a text that is not whole yet. */
  #fragments: string | undefined;
  #ending = 'connection lost';

  /**
   * @param url `ws://host:port/path`
   * @param localAddress from which it connects; default: any
   */
  constructor(url: string, events: WebSocketEvents, localAddress?: string) {
    this.#events = events;
    const { hostname, port, pathname, search } = new URL(url);
    const onread = { buffer: shared, callback: (bytes: number) => this.#read(bytes) };
    this.#socket = createConnection({
      host: hostname,
      port: Number(port || 80),
      localAddress,
      noDelay: true,
      onread,
    });
    this.#socket.on('connect', () => {
      const key = randomBytes(16).toString('base64');
      this.#socket.write(
        `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\n` +
          `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
      );
    });
    this.#socket.on('error', ({ message }) => {
      this.#ending = message;
    });
    this.#socket.on('close', () => {
      this.#isOpen = false;
      events.onClose(this.#ending);
    });
  }

  /** Sends one text frame; while a chunk is being handled, together with the others that it causes. */
  send(text: string): void {
    if (!this.#isOpen) return;
    this.#outgoing += frame(opcode.text, text);
    if (!this.#isReading) this.#flush();
  }

  /** Closes with 1000, and does not wait for the answer. */
  close(): void {
    if (this.#isOpen) this.#socket.end(frame(opcode.close, '\x03\xe8'), 'latin1');
    else this.#socket.destroy();
    this.#isOpen = false;
  }

  #flush(): void {
    if (this.#outgoing === '') return;
    this.#socket.write(this.#outgoing, 'latin1');
    this.#outgoing = '';
  }

  #read(bytes: number): boolean {
    let chunk: Buffer = shared.subarray(0, bytes);
    if (this.#rest) {
      chunk = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    }
    this.#isReading = true;
    const end = this.#isOpen ? this.#frames(chunk, 0) : this.#handshake(chunk);
    this.#isReading = false;
    if (end < chunk.length) this.#rest = Buffer.from(chunk.subarray(end));
    this.#flush();
    return true;
  }

  /** @returns the index of the first byte that was not used */
  #handshake(chunk: Buffer): number {
    const end = chunk.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const status = chunk.toString('latin1', 0, chunk.indexOf('\r\n'));
    if (!/^HTTP\/1\.1 101 /.test(status)) {
      this.#ending = `the server answered ${status}`;
      this.#socket.destroy();
      return chunk.length;
    }
    this.#isOpen = true;
    this.#events.onOpen();
    return this.#frames(chunk, end + 4);
  }

  #frames(chunk: Buffer, from: number): number {
    const text = chunk.toString('latin1');
    let at = from;
    while (at + 2 <= chunk.length) {
      let length = chunk[at + 1] as number;
      let start = at + 2;
      if (length === 126) {
        if (start + 2 > chunk.length) break;
        length = chunk.readUInt16BE(start);
        start += 2;
      } else if (length === 127) {
        if (start + 8 > chunk.length) break;
        length = Number(chunk.readBigUInt64BE(start));
        start += 8;
      }
      if (start + length > chunk.length) break;
      this.#frame(chunk[at] as number, text, start, start + length);
      at = start + length;
    }
    return at;
  }

  #frame(head: number, chunk: string, start: number, end: number): void {
    const code = head & 0x0f;
    const isWhole = head >= isLast;
    if (code === opcode.text && isWhole) this.#events.onText(chunk, start, end);
    else if (code === opcode.text) this.#fragments = chunk.slice(start, end);
    else if (code === opcode.continuation) {
      const text = (this.#fragments ?? '') + chunk.slice(start, end);
      this.#fragments = isWhole ? undefined : text;
      if (isWhole) this.#events.onText(text, 0, text.length);
    } else if (code === opcode.ping) this.#outgoing += frame(opcode.pong, chunk.slice(start, end));
    else if (code === opcode.close) {
      const closeCode = chunk.charCodeAt(start) * 256 + chunk.charCodeAt(start + 1);
      this.#ending = end - start < 2 ? 'closed' : `closed with ${closeCode} ${chunk.slice(start + 2, end)}`;
      this.#socket.end();
    }
  }
}

/** One masked frame as Latin-1 text. @param text ASCII */
function frame(code: number, text: string): string {
  const { length } = text;
  const head = String.fromCharCode(isLast | code);
  if (length < 126) return `${head}${String.fromCharCode(isMasked | length)}\0\0\0\0${text}`;
  if (length > 0xffff) throw new RangeError('a frame of the load generator is at most 65,535 bytes');
  return `${head}${String.fromCharCode(isMasked | 126, length >> 8, length & 0xff)}\0\0\0\0${text}`;
}
