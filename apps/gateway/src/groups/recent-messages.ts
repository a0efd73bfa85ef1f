import type { BufferBudget } from './buffer-budget.ts';
import { firstWithin } from './first-within.ts';

type SentMessage = { readonly seq: number; readonly frame: string | Uint8Array };

/** Most live messages that are kept; a connection that needs more fetches another page. */
const messagesMax = 1_024;

/**
 * The newest live messages of a group, kept while a connection is in replay: with them it catches up with the
 * group and joins the topic in the same tick.
 */
export class RecentMessages {
  readonly #budget: BufferBudget;
  #readers = 0;
  #bytes = 0;
  #messages: SentMessage[] = [];
  /** All that was published after this is here. */
  #afterSeq = 0;

  /** @param budget of the recent messages of all groups */
  constructor(budget: BufferBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A replay begins. @param lastSeq of the group, now */
  open(lastSeq: number): void {
    this.#readers += 1;
    if (this.#readers === 1) this.#afterSeq = lastSeq;
  }

  /** A replay is over. @returns whether it was the last one: nobody needs this any more */
  close(): boolean {
    this.#readers -= 1;
    if (this.#readers > 0) return false;
    this.#forget();
    return true;
  }

  /** Keeps a message if a connection may need it. */
  add(seq: number, frame: string | Uint8Array): void {
    if (this.#readers === 0) return;
    // A view would keep all that was read from Redis with it.
    this.#messages.push({ seq, frame: typeof frame === 'string' ? frame : new Uint8Array(frame) });
    this.#move(frame.length);
    if (this.#messages.length > messagesMax) this.drop();
  }

  /** Forgets what is here: a replay that needs it fetches another page. */
  drop(): void {
    this.#afterSeq = this.#messages.at(-1)?.seq ?? this.#afterSeq;
    this.#forget();
  }

  /** @returns the frames of all messages after `seq`, or undefined if some of them are gone, or there are more bytes of them */
  framesAfter(seq: number, bytesMax: number): (string | Uint8Array)[] | undefined {
    if (seq < this.#afterSeq) return undefined;
    const frames = this.#messages.filter((message) => message.seq > seq).map(({ frame }) => frame);
    return firstWithin(frames, bytesMax, (frame) => Buffer.byteLength(frame)) === frames.length
      ? frames
      : undefined;
  }

  #forget(): void {
    this.#messages = [];
    this.#move(-this.#bytes);
  }

  #move(bytes: number): void {
    if (bytes === 0) return;
    this.#bytes += bytes;
    this.#budget.move(this, bytes);
  }
}
