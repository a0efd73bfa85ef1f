import { randomUUID } from 'node:crypto';

/** First bytes of a piece. What is published on a gateway's channel begins otherwise: answers with `[`. */
const mark = Buffer.from('piece ');
const newline = 0x0a;
/** No text has more pieces. A core of the release before lets 16 Mi characters of three bytes each pass, 256 KiB a piece. */
const piecesMax = 192;
/** Most senders of whom an incomplete text is kept: cores that died meanwhile do not add up. */
const sendersMax = 16;

/**
 * Cuts what is too large for one publication. Each piece says of which text of which sender it is, which one, and of how
 * many: `piece <sender> <text> <index> <count>\n<bytes>`.
 */
export class PieceCutter {
  readonly #sender = randomUUID();
  readonly #bytesMax: number;
  #texts = 0;

  /** @param bytesMax of the text in one piece */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  cut(text: string): Buffer[] {
    this.#texts += 1;
    const bytes = Buffer.from(text);
    const count = Math.ceil(bytes.length / this.#bytesMax);
    return Array.from({ length: count }, (_, index) =>
      Buffer.concat([
        mark,
        Buffer.from(`${this.#sender} ${this.#texts} ${index} ${count}\n`),
        bytes.subarray(index * this.#bytesMax, (index + 1) * this.#bytesMax),
      ]),
    );
  }
}

type Incomplete = { readonly text: string; readonly count: number; readonly pieces: Buffer[] };

/**
 * Puts pieces together again. A sender publishes a text's pieces one behind the other, so at most one text of a sender
 * is incomplete: one of which a piece is missing is dropped when another one begins.
 */
export class PieceCollector {
  readonly #incomplete = new Map<string, Incomplete>();

  /** @returns the whole text with its last piece, what is no piece as it is, and undefined while pieces are missing */
  receive(bytes: Buffer): Buffer | undefined {
    if (bytes.compare(mark, 0, mark.length, 0, mark.length) !== 0) return bytes;
    const end = bytes.indexOf(newline);
    const head = bytes.toString('latin1', mark.length, Math.max(end, mark.length));
    const [sender = '', text = '', ...numbers] = head.split(' ');
    const [index = -1, count = 0] = numbers.map(Number);
    const known = this.#incomplete.get(sender);
    this.#incomplete.delete(sender);
    const isFirst = index === 0 && count > 0 && count <= piecesMax;
    const isNext = known?.text === text && known.count === count && known.pieces.length === index;
    if (end < 0 || (!isFirst && !isNext)) return undefined;
    const incomplete = isFirst || !known ? { text, count, pieces: [] } : known;
    incomplete.pieces.push(bytes.subarray(end + 1));
    if (incomplete.pieces.length === count) return Buffer.concat(incomplete.pieces);
    this.#incomplete.set(sender, incomplete);
    if (this.#incomplete.size > sendersMax) {
      const [oldest = ''] = this.#incomplete.keys();
      this.#incomplete.delete(oldest);
    }
    return undefined;
  }
}
