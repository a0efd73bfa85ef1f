/** Where a message belongs. The group may be closed by now, or open again as another feed. */
type MessagePlace<Feed> = {
  readonly feed: Feed;
  readonly seq: number;
  /** Milliseconds from `clockStart`: a small number, which needs no memory of its own. NaN if it is not known. */
  readonly committedMs: number;
};

/** Moments are counted from here. */
export const clockStart = Date.now();

/**
 * Remembers which group and `seq` the messages that this gateway sent belong to, because an acknowledgement names the
 * message alone. Two generations: when the younger one is full the older one is forgotten, so the memory is bounded. An
 * acknowledgement that comes later than that is looked up by the core.
 */
export class MessageIndex<Feed> {
  readonly #generationMax: number;
  #young = new Map<number, MessagePlace<Feed>>();
  #old = new Map<number, MessagePlace<Feed>>();

  constructor(generationMax = 50_000) {
    this.#generationMax = generationMax;
  }

  /** @param committedAt in milliseconds since the epoch */
  note(messageId: number, feed: Feed, seq: number, committedAt: number): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(messageId, { feed, seq, committedMs: committedAt - clockStart });
  }

  find(messageId: number): MessagePlace<Feed> | undefined {
    return this.#young.get(messageId) ?? this.#old.get(messageId);
  }
}
