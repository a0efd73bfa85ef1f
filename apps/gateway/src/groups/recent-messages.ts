import { firstWithin } from './first-within.ts';

type SentMessage = { readonly seq: number; readonly frame: string | Uint8Array };

/** Most live messages that are kept; a connection that needs more fetches another page. */
const messagesMax = 1_024;

/**
 * The newest live messages of a group, kept while a connection is in replay: with them it catches up with the
 * group and joins the topic in the same tick.
 */
export class RecentMessages {
  #readers = 0;
  #messages: SentMessage[] = [];
  /** All that was published after this is here. */
  #afterSeq = 0;

  /** A replay begins. @param lastSeq of the group, now */
  open(lastSeq: number): void {
    this.#readers += 1;
    if (this.#readers === 1) this.#afterSeq = lastSeq;
  }

  /** A replay is over. */
  close(): void {
    this.#readers -= 1;
    if (this.#readers === 0) this.#messages = [];
  }

  /** Keeps a message if a connection may need it. */
  add(seq: number, frame: string | Uint8Array): void {
    if (this.#readers === 0) return;
    this.#messages.push({ seq, frame });
    if (this.#messages.length <= messagesMax) return;
    this.#messages = [];
    this.#afterSeq = seq;
  }

  /** @returns the frames of all messages after `seq`, or undefined if some of them are gone, or there are more bytes of them */
  framesAfter(seq: number, bytesMax: number): (string | Uint8Array)[] | undefined {
    if (seq < this.#afterSeq) return undefined;
    const frames = this.#messages.filter((message) => message.seq > seq).map(({ frame }) => frame);
    return firstWithin(frames, bytesMax, (frame) => Buffer.byteLength(frame)) === frames.length
      ? frames
      : undefined;
  }
}
