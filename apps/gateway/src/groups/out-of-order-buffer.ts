export type BufferedMessage = {
  readonly version: number;
  readonly messageId: number;
  readonly frame: string | Uint8Array;
};

/** Messages of a group that came before one that is missing, or under a state that is not here yet. */
export class OutOfOrderBuffer {
  readonly #messages = new Map<number, BufferedMessage>();

  get size(): number {
    return this.#messages.size;
  }

  add(seq: number, message: BufferedMessage): void {
    this.#messages.set(seq, message);
  }

  /** Takes the message with that `seq` out, if it is here and the state of `version` is new enough for it. */
  take(seq: number, version: number): BufferedMessage | undefined {
    const message = this.#messages.get(seq);
    if (!message || message.version > version) return undefined;
    this.#messages.delete(seq);
    return message;
  }

  /** Forgets what is not needed any more. */
  dropThrough(lastSeq: number): void {
    for (const seq of this.#messages.keys()) if (seq <= lastSeq) this.#messages.delete(seq);
  }

  clear(): void {
    this.#messages.clear();
  }
}
