/** What waits for one client to read it. */
export type SocketBuffer = {
  /** Bytes that wait: in the socket, as of the last look, and what was read for it and has no room there. */
  readonly waitingBytes: number;
  /** Looks, and reports the difference to `SocketBuffers.move`. */
  look(): void;
  /** Closes the connection at once, without a close frame: that would wait behind what is not read. */
  cut(): void;
};

/** All sockets are looked at when so much was published: a socket has at most that much that nobody has seen. */
const publishedPerLookBytes = 4 * 1024 * 1024;

/** After the worst readers were closed so much of the limit is used: not one byte more closes the next one. */
const usedAfterwards = 0.9;

/**
 * How many bytes wait for all clients of the gateway to read them. Above the limit the worst readers are closed, until
 * nine tenths of it are used.
 *
 * A socket looks when it is written to, and when it drains. What is published is written in C++, which tells nobody; so
 * all sockets are looked at once in a while, as much is published.
 */
export class SocketBuffers {
  readonly #bytesMax: number;
  readonly #perLookBytes: number;
  readonly #sockets = new Set<SocketBuffer>();
  #bytes = 0;
  #publishedBytes = 0;
  #isDue = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#perLookBytes = Math.min(publishedPerLookBytes, bytesMax / 4);
  }

  /** Whether half of the limit is used, as of the last looks. */
  get isCrowded(): boolean {
    return this.#bytes > this.#bytesMax / 2;
  }

  /** Looks at all sockets. */
  bytes(): number {
    for (const socket of this.#sockets) socket.look();
    return this.#bytes;
  }

  /** How many sockets have something that waits, as of the last looks. */
  behind(): number {
    let behind = 0;
    for (const { waitingBytes } of this.#sockets) if (waitingBytes > 0) behind += 1;
    return behind;
  }

  add(socket: SocketBuffer): void {
    this.#sockets.add(socket);
  }

  remove(socket: SocketBuffer): void {
    this.#sockets.delete(socket);
  }

  /** So many bytes more wait, or fewer. */
  move(bytes: number): void {
    this.#bytes += bytes;
    if (bytes > 0 && this.#bytes > this.#bytesMax) this.#lookSoon();
  }

  onPublished(bytes: number): void {
    this.#publishedBytes += bytes;
    if (this.#publishedBytes >= this.#perLookBytes) this.#lookSoon();
  }

  /** Behind what is being written: a socket must not close amid its own write. */
  #lookSoon(): void {
    this.#publishedBytes = 0;
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (this.bytes() > this.#bytesMax) this.#closeWorst();
    });
  }

  #closeWorst(): void {
    const worstFirst = [...this.#sockets].sort((a, b) => b.waitingBytes - a.waitingBytes);
    for (const socket of worstFirst) {
      if (this.#bytes <= usedAfterwards * this.#bytesMax) return;
      socket.cut();
    }
  }
}
