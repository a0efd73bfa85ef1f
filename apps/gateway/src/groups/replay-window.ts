import { Queue } from '../queue.ts';
import { pageBytesMax } from './page-bytes.ts';

/** How much may be on its way. */
export type WindowSize = { readonly messages: number; readonly bytes: number };

/** What is held for a page that is read: so many messages at most, and so many bytes as they will probably have. */
export type Room = WindowSize;

type Waiting = {
  /** It goes on when there is room for so many, and takes no more than so many. */
  readonly least: number;
  readonly most: number;
  resolve(room: Room): void;
};

/** Of a message, before one was sent. */
const probableBytes = 4_096;
/** So many groups are replayed side by side, if there are as many; others wait. */
const sharersMax = 4;

/**
 * The credit of one connection for replayed messages: how many of them, of all its groups together, and how many bytes,
 * may be on their way unacknowledged. However much waits for a user who was away, it floods neither their socket nor our
 * memory, and a slow link can acknowledge in time what it is sent. Live messages do not count; they come after the replay
 * of their group.
 *
 * Of all groups together no more is read ahead than one full page: what was read waits in memory for a slow client.
 *
 * What is on its way is a number that moves with what is sent, acknowledged and left: no step looks at all groups. How
 * many bytes a page will have is guessed from those before, so both are exceeded by what was guessed too low.
 */
export class ReplayWindow {
  readonly #size: WindowSize;
  #waiting: Queue<Waiting> | undefined;
  #reserved = 0;
  #reservedBytes = 0;
  #unacknowledged = 0;
  #unacknowledgedBytes = 0;
  /** Of a message, in what was sent lately. */
  #meanBytes = probableBytes;
  /** When something was acknowledged last, in milliseconds since 1970. */
  #acknowledgedAt = 0;
  #isClosed = false;

  constructor(size: WindowSize) {
    this.#size = size;
  }

  /** How many replayed messages are on their way. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Of a message, in what was sent lately; a guess before. */
  get meanBytes(): number {
    return this.#meanBytes;
  }

  /** How many messages of late would have filled a page, and one more. */
  get messagesAPage(): number {
    return Math.ceil(pageBytesMax / this.#meanBytes) + 1;
  }

  /** Whether something was acknowledged within so many milliseconds: what is on its way is not late then, only slow. */
  isMoving(withinMs: number): boolean {
    return Date.now() - this.#acknowledgedAt < withinMs;
  }

  /**
   * Waits for room, first come, first served, and holds it.
   * @param messages how many wait to be sent
   * @param replays how many groups share the window, this one included. One that is alone has pages of half the window
   *   if its client is quick: each costs a way to the core and back
   * @returns for how much of it there is room; no messages if the window is closed
   */
  reserve(messages: number, replays: number): Promise<Room> {
    const { messages: size } = this.#size;
    const least = Math.min(messages, Math.ceil(size / sharersMax));
    const most = Math.max(least, Math.min(messages, Math.floor(size / (replays + 1))));
    return new Promise((resolve) => {
      this.#waiting ??= new Queue();
      this.#waiting.push({ least, most, resolve });
      this.#giveRoom();
    });
  }

  /** Gives room back. What was sent of it is on its way. */
  release({ messages, bytes }: Room): void {
    this.#reserved -= messages;
    this.#reservedBytes -= bytes;
    this.#giveRoom();
  }

  /** So much more is on its way; less if it is negative. */
  add(messages: number, bytes: number): void {
    this.#unacknowledged += messages;
    this.#unacknowledgedBytes += bytes;
    // What is acknowledged already changes how the bytes of a replay are divided: that may be less, and says nothing.
    if (messages > 0 && bytes > 0) this.#meanBytes = (this.#meanBytes + bytes / messages) / 2;
    if (messages < 0) this.#acknowledgedAt = Date.now();
    if (messages < 0 || bytes < 0) this.#giveRoom();
  }

  /** Who waits gets no room. */
  close(): void {
    this.#isClosed = true;
    this.#giveRoom();
  }

  get #free(): number {
    return this.#size.messages - this.#reserved - this.#unacknowledged;
  }

  #giveRoom(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    for (let next = waiting.first(); next; next = waiting.first()) {
      const messages = this.#isClosed ? 0 : Math.max(next.least, Math.min(next.most, this.#free));
      const bytes = Math.min(pageBytesMax, Math.round(messages * this.#meanBytes));
      if (messages > 0 && !this.#isRoomFor(messages, bytes)) return;
      this.#reserved += messages;
      this.#reservedBytes += bytes;
      waiting.shift();
      next.resolve({ messages, bytes });
    }
  }

  #isRoomFor(messages: number, bytes: number): boolean {
    if (messages > this.#free) return false;
    // What is being read waits in memory until its client has read what was sent before.
    if (this.#reservedBytes > 0 && this.#reservedBytes + bytes > pageBytesMax) return false;
    const used = this.#reservedBytes + this.#unacknowledgedBytes;
    return used <= 0 || used + bytes <= this.#size.bytes;
  }
}
