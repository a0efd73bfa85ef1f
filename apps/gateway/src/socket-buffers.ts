/** What waits for one client to read it. */
export type SocketBuffer = {
  /** Bytes that wait: in the socket, as of the last look, and what was read for it and has no room there. */
  readonly waitingBytes: number;
  /** Looks, and reports a difference to `SocketBuffers.move`. */
  look(): void;
  /** Closes the connection at once, without a close frame: that would wait behind what is not read. */
  cut(): void;
};

/** Each socket is looked at once while so much is published: it has at most that much that nobody has seen. */
const publishedPerLookBytes = 4 * 1024 * 1024;

/** After the worst readers were closed so much of the limit is used: not one byte more closes the next one. */
const usedAfterwards = 0.9;

/** Of all sockets that somebody wants to know of, so many are looked at in one turn of the event loop: 0.2 ms or less. */
const looksPerTurn = 250;

/**
 * How many bytes wait for all clients of the gateway to read them. Above the limit the worst readers are closed, until
 * nine tenths of it are used.
 *
 * A socket looks when it is written to, and when it drains. What is published is written in C++, which tells nobody; so
 * sockets are looked at one after the other, round and round, as much is published. Each that comes or goes makes for one look
 * more: so the others wait no longer for theirs, because of one that came before them or because fewer are left.
 */
export class SocketBuffers {
  readonly #bytesMax: number;
  readonly #perLookBytes: number;
  readonly #sockets = new Set<SocketBuffer>();
  /** Those for which something waits, as of the last looks. */
  readonly #behind = new Set<SocketBuffer>();
  /** Who is looked at next. It moves with each socket that comes or goes, so it keeps no memory of those that are gone. */
  #round = this.#sockets.values();
  #bytes = 0;
  /** Published since the last look that was made for it. */
  #publishedBytes = 0;
  /** So many looks are still to be made because somebody wants to know of all. */
  #wanted = 0;
  #isDue = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#perLookBytes = Math.min(publishedPerLookBytes, bytesMax / 4);
  }

  /** How many bytes wait, as of the last looks. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many sockets have something that waits, as of the last looks. */
  get behind(): number {
    return this.#behind.size;
  }

  /** Whether half of the limit is used, as of the last looks. */
  get isCrowded(): boolean {
    return this.#bytes > this.#bytesMax / 2;
  }

  /** Begins to look at all sockets, some in each turn of the event loop, unless that is under way. */
  lookAround(): void {
    if (this.#wanted > 0) return;
    this.#wanted = this.#sockets.size;
    this.#lookSoon();
  }

  add(socket: SocketBuffer): void {
    this.#sockets.add(socket);
    this.#look(1);
  }

  /** What waits for it is subtracted by `move`, as it tells. */
  remove(socket: SocketBuffer): void {
    this.#sockets.delete(socket);
    this.#look(1);
  }

  /** So many bytes more wait for a socket, or fewer; it knows already. */
  move(socket: SocketBuffer, bytes: number): void {
    this.#bytes += bytes;
    if (socket.waitingBytes > 0) this.#behind.add(socket);
    else this.#behind.delete(socket);
    if (bytes > 0 && this.#bytes > this.#bytesMax) this.#lookSoon();
  }

  onPublished(bytes: number): void {
    this.#publishedBytes += bytes;
    if (this.#publishedBytes >= this.#publishedEachBytes) this.#lookSoon();
  }

  /** One socket is looked at when so much was published. */
  get #publishedEachBytes(): number {
    return this.#perLookBytes / this.#sockets.size;
  }

  /** Behind what is being written: a socket must not close amid its own write. */
  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      const each = this.#publishedEachBytes;
      const looks = Math.max(Math.floor(this.#publishedBytes / each), Math.min(this.#wanted, looksPerTurn));
      this.#publishedBytes %= each;
      this.#wanted = Math.max(0, this.#wanted - looks);
      this.#look(looks);
      if (this.#bytes > this.#bytesMax) this.#closeWorst();
      if (this.#wanted > 0) this.#lookSoon();
    });
  }

  /** Looks at so many of those whose turn it is, at each once. */
  #look(count: number): void {
    for (let left = Math.min(count, this.#sockets.size); left > 0; left -= 1) this.#nextSocket()?.look();
  }

  #nextSocket(): SocketBuffer | undefined {
    const { value } = this.#round.next();
    if (value) return value;
    this.#round = this.#sockets.values();
    return this.#round.next().value;
  }

  /** Who reads worst now: what was published for them since their last look counts, too. */
  #closeWorst(): void {
    for (const socket of this.#sockets) socket.look();
    const worstFirst = [...this.#behind].sort((a, b) => b.waitingBytes - a.waitingBytes);
    for (const socket of worstFirst) {
      if (this.#bytes <= usedAfterwards * this.#bytesMax) return;
      socket.cut();
    }
  }
}
