import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { variable } from '@hooligram/service';

/** Stands in a list of keys for "no signature". */
const unsigned = 'unsigned';
const keyCharactersMin = 32;

/** What a signed publication begins with, and no other one: `signed <signature>\n<publication>`. */
const mark = Buffer.from('signed ');
/** Half of an HMAC-SHA-256, the least that RFC 2104 (section 5) advises, as base64url. */
const signatureBytes = 16;
const signatureCharacters = 22;
const headBytes = mark.length + signatureCharacters + 1;
const newline = 0x0a;

/** The field of an entry that signs those before it. */
const entryField = 'signature';

/** What fingerprints of keys are made of. */
const fingerprinted = 'hooligram: which key of BUS_SIGNING_KEYS is this?';

/**
 * Signs what this process writes for other processes, and checks what they wrote, before anything of it is parsed.
 *
 * A signature holds in its place alone: what was signed for one channel is refused on another one. It says that a
 * holder of a key wrote something, and not when: what is published again is refused by its seq, version, reference or
 * request id, as what a slow network brings twice.
 *
 * The first key signs; what any of them has signed is accepted. `unsigned` may stand among them: as the first, nothing
 * is signed; anywhere, what has no signature is accepted.
 */
export class Signatures {
  /** The list of keys, for operators to compare: of each a part of what it makes of a fixed text. */
  readonly fingerprints: readonly string[];
  readonly #keys: readonly KeyObject[];
  readonly #signingKey: KeyObject | undefined;
  readonly #acceptsUnsigned: boolean;

  /** @param keys of at least 32 characters each, or `unsigned` */
  constructor(keys: readonly string[]) {
    const keyOf = (text: string) => createSecretKey(Buffer.from(text));
    this.#keys = keys.filter((key) => key !== unsigned).map(keyOf);
    this.#signingKey = keys[0] === unsigned ? undefined : this.#keys[0];
    this.#acceptsUnsigned = keys.includes(unsigned);
    this.fingerprints = keys.map((key) =>
      key === unsigned
        ? key
        : createHmac('sha256', keyOf(key)).update(fingerprinted).digest('hex').slice(0, 8),
    );
  }

  signPublication(channel: string, publication: string): string;
  signPublication(channel: string, publication: string | Buffer): string | Buffer;
  signPublication(channel: string, publication: string | Buffer): string | Buffer {
    if (!this.#signingKey) return publication;
    const head = `signed ${signature(this.#signingKey, channel, publication)}\n`;
    return typeof publication === 'string'
      ? head + publication
      : Buffer.concat([Buffer.from(head), publication]);
  }

  /** @returns the publication itself, a view of the bytes; undefined if it is not to be believed */
  openPublication(channel: string, bytes: Buffer): Buffer | undefined {
    if (!bytes.subarray(0, mark.length).equals(mark)) {
      return this.#acceptsUnsigned ? bytes : undefined;
    }
    const given = bytes.subarray(mark.length, headBytes - 1);
    const publication = bytes.subarray(headBytes);
    const isSound = bytes[headBytes - 1] === newline && this.#isSigned(channel, publication, given);
    return isSound ? publication : undefined;
  }

  /** @param fields names and values @returns what is to stand behind them in the entry */
  entryFields(stream: string, fields: readonly (string | number)[]): string[] {
    return this.#signingKey
      ? [entryField, signature(this.#signingKey, stream, textOf(fields.map(String)))]
      : [];
  }

  /** @param flat names and values of an entry, as they stand in the stream */
  acceptsEntry(stream: string, flat: readonly string[]): boolean {
    if (flat.at(-2) !== entryField) return this.#acceptsUnsigned;
    const given = Buffer.from(flat.at(-1) ?? '');
    return this.#isSigned(stream, textOf(flat.slice(0, -2)), given);
  }

  #isSigned(place: string, body: string | Buffer, given: Buffer): boolean {
    if (given.length !== signatureCharacters) return false;
    return this.#keys.some((key) => timingSafeEqual(Buffer.from(signature(key, place, body)), given));
  }
}

/** @param keys as `signingKeys` reads them @returns undefined if there are none: nothing is signed or checked */
export function createSignatures(keys: readonly string[] | undefined): Signatures | undefined {
  return keys && new Signatures(keys);
}

/** The variable of the keys. */
export function signingKeys() {
  const expected = `keys of at least ${keyCharactersMin} characters, or ${unsigned} beside them, with commas between`;
  return variable(expected, (text): readonly string[] | undefined => {
    const keys = text.split(',').map((key) => key.trim());
    const isSound = keys.every((key) => key === unsigned || key.length >= keyCharactersMin);
    return isSound && keys.some((key) => key !== unsigned) ? keys : undefined;
  });
}

function signature(key: KeyObject, place: string, body: string | Buffer): string {
  const digest = createHmac('sha256', key).update(`${place}\n`).update(body).digest();
  return digest.toString('base64url', 0, signatureBytes);
}

/** With the length of each, so that no other fields make the same text. */
function textOf(fields: readonly string[]): string {
  return fields.map((field) => `${field.length}:${field}`).join('');
}
