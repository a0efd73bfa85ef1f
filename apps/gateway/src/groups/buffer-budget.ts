/** Something that keeps bytes, and can get them again elsewhere. */
export type Buffer = {
  readonly bytes: number;
  /** Forgets all of it; has to lead to `bytes` 0 and `BufferBudget.move`. */
  drop(): void;
};

/** So much of the limit is used after buffers were dropped: not each further byte is a look at all of them. */
const usedAfterwards = 0.9;

/** The bytes of all buffers of one kind. Above the limit the largest ones are dropped, until nine tenths of it are used. */
export class BufferBudget {
  readonly #bytesMax: number;
  readonly #onDropped: () => void;
  readonly #holders = new Set<Buffer>();
  #bytes = 0;

  constructor(bytesMax: number, onDropped: () => void) {
    this.#bytesMax = bytesMax;
    this.#onDropped = onDropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The buffer has so many bytes more, or fewer; `buffer.bytes` is what it has now. */
  move(buffer: Buffer, bytes: number): void {
    this.#bytes += bytes;
    if (buffer.bytes > 0) this.#holders.add(buffer);
    else this.#holders.delete(buffer);
    if (bytes > 0 && this.#bytes > this.#bytesMax) this.#dropLargest();
  }

  #dropLargest(): void {
    const largestFirst = [...this.#holders].sort((a, b) => b.bytes - a.bytes);
    for (const buffer of largestFirst) {
      if (this.#bytes <= usedAfterwards * this.#bytesMax) return;
      this.#onDropped();
      buffer.drop();
    }
  }
}
