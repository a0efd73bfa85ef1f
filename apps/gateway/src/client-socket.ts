import type { uWS } from '@hooligram/uws';

/** Which limit a client that reads too slowly is closed for: that of its connection, or that of the gateway. */
export type SlowCause = 'connection' | 'gateway';

/** The typings do not know these; the binaries do. */
type Fragmenting = Record<
  'sendFirstFragment' | 'sendFragment' | 'sendLastFragment',
  (bytes: Uint8Array) => number
>;

/** What a socket tells the server that made it. */
type SocketEvents = {
  /** It is closed because its client reads too slowly. */
  onSlow(cause: SlowCause, address: string): void;
  /** So many bytes more wait to be read by its client, or fewer: `waitingBytes` has moved by them. */
  onBuffered(socket: ClientSocket, bytes: number): void;
  /** Closes it: uWS reports the topics that it leaves meanwhile, and any use of it throws then. */
  close(close: () => void): void;
};

/** A frame as it is sent: text, or its UTF-8. */
export type Frame = string | Uint8Array;

/**
 * uWebSockets.js gathers less than so many bytes for one system call. A frame that does not fit goes through a buffer of its
 * connection, with all that was gathered before it; and an emptied buffer keeps its memory until the connection is closed.
 */
export const gatheredBytesMax = 16 * 1_024;
/** Before a frame that can be gathered (RFC 6455, 5.2). */
const headerBytesMax = 4;
/** A frame that cannot be gathered leaves in fragments (RFC 6455, 5.4) of so many bytes, each of which can. */
const fragmentBytes = 15 * 1_024;
/** Of one UTF-16 code unit in UTF-8. */
const bytesPerUnitMax = 3;
/**
 * So many code units are sent together: to count bytes takes as long as to encode them, and what is sent together is states, nearly
 * all ASCII. Where it is not, a buffer is kept, and nothing else happens.
 */
const togetherUnitsMax = 15 * 1_024;

/** One client's socket. All methods do nothing once it is closed, so no caller needs to ask first. */
export class ClientSocket {
  readonly address: string;
  readonly #ws: uWS.WebSocket<unknown>;
  readonly #events: SocketEvents;
  /** What is to be sent with the others of this tick, or of `together`. Undefined while there is none, as on nearly all sockets. */
  #later: Frame[] | undefined;
  /** The code units of it; undefined while nothing is sent together. */
  #togetherUnits: number | undefined;
  #drained: (() => void)[] | undefined;
  #isOpen = true;
  #unreadBytes = 0;
  #heldBytes = 0;
  /** Something that was written in this tick was not sent at once. */
  #isFilling = false;

  constructor(ws: uWS.WebSocket<unknown>, address: string, events: SocketEvents) {
    this.#ws = ws;
    this.address = address;
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** How much was sent that waits here, because the client has not read what was sent before. */
  get unreadBytes(): number {
    return this.#isOpen ? this.#ws.getBufferedAmount() : 0;
  }

  /** That, as of the last look, and what is held for it until then. */
  get waitingBytes(): number {
    return this.#unreadBytes + this.#heldBytes;
  }

  /** So many bytes more are held for this client until it has read what was sent, or fewer. */
  hold(bytes: number): void {
    if (!this.#isOpen) return;
    this.#heldBytes += bytes;
    this.#events.onBuffered(this, bytes);
  }

  /** Looks how much the client has not read. */
  look(): void {
    if (this.#isOpen) this.#noteUnread(this.#ws.getBufferedAmount());
  }

  /** The gateway has no room any more for what this client does not read. No close frame gets past that. */
  cut(): void {
    if (this.#isOpen) this.#closeSlow('gateway');
  }

  /** Sends frames now, in order, in as few system calls as they fit into; within `together`, with what else is sent there. */
  send(...frames: readonly Frame[]): void {
    if (!this.#isOpen) return;
    if (this.#togetherUnits !== undefined) {
      for (const frame of frames) this.#gather(frame);
      return;
    }
    const queued = this.#later;
    this.#later = undefined;
    queued?.push(...frames);
    this.#writeAll(queued ?? frames);
    if (this.#unreadBytes > 0 || this.#isFilling) this.look();
    this.#isFilling = false;
  }

  /**
   * What is sent meanwhile leaves in as few system calls as it fits into, all of it before this returns. What is published
   * meanwhile may overtake it.
   */
  together<T>(work: () => T): T {
    if (!this.#isOpen || this.#togetherUnits !== undefined) return work();
    const before = this.#later ?? [];
    this.#later = undefined;
    this.#togetherUnits = 0;
    try {
      for (const frame of before) this.#gather(frame);
      return work();
    } finally {
      this.#flush();
      this.#togetherUnits = undefined;
      this.look();
    }
  }

  /** Sends a frame with the others of this tick. Never overtakes nor is overtaken by `send`. */
  sendLater(frame: string): void {
    if (!this.#isOpen) return;
    if (this.#togetherUnits !== undefined) {
      this.#gather(frame);
      return;
    }
    if (this.#later) {
      this.#later.push(frame);
      return;
    }
    this.#later = [frame];
    // Not before all microtasks: requests that are answered one after the other without a wait share a system call.
    process.nextTick(() => this.#later && this.send());
  }

  /** Joins a topic behind everything that was sent so far; within `together`, before that leaves. */
  join(topic: string): void {
    if (!this.#isOpen) return;
    if (this.#later && this.#togetherUnits === undefined) this.send();
    if (this.#isOpen) this.#ws.subscribe(topic);
  }

  leave(topic: string): void {
    if (this.#isOpen) this.#ws.unsubscribe(topic);
  }

  /** Closes with a code and a reason, behind everything that was sent so far. */
  end({ code, reason }: { code: number; reason: string }): void {
    if (!this.#isOpen) return;
    this.#flush();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#events.close(() => this.#ws.end(code, reason));
  }

  /** Resolves when no more than that waits to be read by the client, or the socket is closed. */
  async drained(unreadBytesMax: number): Promise<void> {
    while (this.unreadBytes > unreadBytesMax) {
      await new Promise<void>((resolve) => {
        this.#drained ??= [];
        this.#drained.push(resolve);
      });
    }
  }

  /** The client has read what was sent, or some of it. */
  onDrain(): void {
    this.look();
    const waiting = this.#drained;
    this.#drained = undefined;
    if (waiting) for (const resume of waiting) resume();
  }

  /**
   * uWS is closing it. @param unreadMaxBytes with more than this unread it is closed because its client reads too slowly
   */
  onClosing(unreadMaxBytes: number): void {
    if (!this.#isOpen || this.#ws.getBufferedAmount() <= unreadMaxBytes) return;
    this.#isOpen = false;
    this.#events.onSlow('connection', this.address);
  }

  onClosed(): void {
    this.#isOpen = false;
    this.#noteUnread(0);
    const heldBytes = this.#heldBytes;
    this.#heldBytes = 0;
    if (heldBytes > 0) this.#events.onBuffered(this, -heldBytes);
    this.#later = undefined;
    this.onDrain();
  }

  /** Within `together`. */
  #gather(frame: Frame): void {
    const units = frame.length + headerBytesMax;
    if ((this.#togetherUnits ?? 0) + units > togetherUnitsMax) this.#flush();
    this.#later ??= [];
    this.#later.push(frame);
    this.#togetherUnits = (this.#togetherUnits ?? 0) + units;
    // How much is unread decides whether more is sent.
    if (units > togetherUnitsMax) this.#flush();
  }

  /** Sends what waits for the others of this tick, or of `together`. */
  #flush(): void {
    const frames = this.#later ?? [];
    this.#later = undefined;
    if (this.#togetherUnits === undefined) this.#writeAll(frames);
    else {
      this.#togetherUnits = 0;
      this.#writeTogether(frames, 0, frames.length);
    }
  }

  /** Each system call has as many frames as can be gathered for it. */
  #writeAll(frames: readonly Frame[]): void {
    let bytesMax = 0;
    for (const { length } of frames) bytesMax += length * bytesPerUnitMax + headerBytesMax;
    if (frames.length <= 1 || bytesMax < gatheredBytesMax) {
      this.#writeTogether(frames, 0, frames.length);
      return;
    }
    let start = 0;
    let bytes = 0;
    for (const [index, frame] of frames.entries()) {
      const more = bytesOf(frame);
      if (index > start && bytes + more >= gatheredBytesMax) {
        this.#writeTogether(frames, start, index);
        start = index;
        bytes = 0;
      }
      bytes += more;
    }
    this.#writeTogether(frames, start, frames.length);
  }

  #writeTogether(frames: readonly Frame[], start: number, end: number): void {
    if (!this.#isOpen || start === end) return;
    const first = frames[start] as Frame;
    if (end - start === 1 && isLarge(first) && this.#ws.getBufferedAmount() === 0) {
      this.#writeFragments(first);
      return;
    }
    this.#ws.cork(() => {
      for (let index = start; index < end; index += 1) this.#write(frames[index] as Frame);
    });
  }

  #write(frame: Frame): void {
    if (this.#isOpen) this.#onWritten(this.#ws.send(frame));
  }

  /** One system call each, and nothing between them. What the client does not read at once is buffered whole, as any frame. */
  #writeFragments(frame: Frame): void {
    const ws = this.#ws as unknown as Fragmenting;
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame;
    let result = ws.sendFirstFragment(bytes.subarray(0, fragmentBytes));
    for (let start = fragmentBytes; start < bytes.byteLength && result !== 2; ) {
      const end = result === 0 ? bytes.byteLength : start + fragmentBytes;
      const part = bytes.subarray(start, end);
      const next = end < bytes.byteLength ? ws.sendFragment(part) : ws.sendLastFragment(part);
      result = next === 1 ? result : next;
      start = end;
    }
    this.#onWritten(result);
  }

  /** @param result 1: sent; 0: buffered, and will be sent; 2: dropped, a gap, which only a new connection can close */
  #onWritten(result: number): void {
    if (result === 0) this.#isFilling = true;
    else if (result === 2) this.#closeSlow('connection');
  }

  #closeSlow(cause: SlowCause): void {
    this.#isOpen = false;
    this.#events.onSlow(cause, this.address);
    this.#events.close(() => this.#ws.close());
  }

  #noteUnread(bytes: number): void {
    if (bytes === this.#unreadBytes) return;
    const before = this.#unreadBytes;
    this.#unreadBytes = bytes;
    this.#events.onBuffered(this, bytes - before);
  }
}

/** Whether it cannot be gathered. */
function isLarge(frame: Frame): boolean {
  // To count bytes takes as long as to encode them.
  if (frame.length * bytesPerUnitMax + headerBytesMax < gatheredBytesMax) return false;
  return bytesOf(frame) >= gatheredBytesMax;
}

/** As it is sent, with its header. */
export function bytesOf(frame: Frame): number {
  return headerBytesMax + (typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength);
}
