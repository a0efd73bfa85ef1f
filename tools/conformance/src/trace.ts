/** One frame that a check sent or received. */
export type Exchanged = {
  readonly atMs: number;
  /** Which of the check's connections: a, b, c. */
  readonly peer: string;
  readonly direction: 'sent' | 'received' | 'closed';
  readonly text: string;
};

const textCharactersMax = 300;

/** All that a check's connections exchanged, in order; long frames are cut. */
export class Trace {
  readonly exchanged: Exchanged[] = [];
  readonly #startedAt = performance.now();

  add(peer: string, direction: Exchanged['direction'], text: string): void {
    const atMs = Math.round(performance.now() - this.#startedAt);
    const cut =
      text.length <= textCharactersMax
        ? text
        : `${text.slice(0, textCharactersMax)}… (${text.length} characters)`;
    this.exchanged.push({ atMs, peer, direction, text: cut });
  }
}
