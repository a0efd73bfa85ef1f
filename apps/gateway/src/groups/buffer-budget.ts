/** Something that keeps bytes, and can get them again elsewhere. */
export type Buffer = {
  readonly bytes: number;
  /** Forgets all of it; has to lead to `bytes` 0 and `BufferBudget.move`. */
  drop(): void;
};

/** The bytes of all buffers of one kind. Above the limit the largest buffer is dropped. */
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
    if (this.#bytes > this.#bytesMax) this.#dropLargest();
  }

  #dropLargest(): void {
    let largest: Buffer | undefined;
    for (const buffer of this.#holders) if (!largest || buffer.bytes > largest.bytes) largest = buffer;
    if (!largest) return;
    this.#onDropped();
    largest.drop();
  }
}
