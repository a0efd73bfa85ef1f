import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const hashBytes = 32;
/** Of a token, before it is written in base64url: what makes it unguessable (144 bits), and what proves who made it. */
const chanceBytes = 18;
const proofBytes = 9;
const tokenCharacters = ((chanceBytes + proofBytes) * 4) / 3;

/** Of a submission: a second run makes the same token. */
type Submission = { readonly request_id: string; readonly connection_id: string };

/** A token, and the name of the key that it was made from. */
type Token = { readonly token: string; readonly key: string };

/** Makes and compares what people sign in with. Several keys may be in force, the newest first. */
export type Credentials = {
  /**
   * The hash to store: HMAC-SHA256 over sid, NUL and code or token, with the newest key, 32 bytes. That of an empty code
   * is empty, and equals no other.
   *
   * Why a key: a code has few digits, so a thief of the table could try all of them against any hash, however slow, in
   * no time. With a key that the database does not know, the table reveals nothing. The sid is part of it: equal codes
   * of two users do not look equal, and a row copied to another user is worthless.
   */
  hash(sid: string, code: string): Buffer;
  /** The same with each of the keys, the newest first. */
  hashes(sid: string, code: string): Buffer[];
  /**
   * The token of a submission, 36 characters. It is made from what no client knows (the connection's UUID) and the key,
   * so nothing has to be stored in clear to tell it a second time.
   *
   * @param key the name of the key from which an earlier run made it; default, and if that is gone: the newest
   */
  tokenOf(submission: Submission, key?: string | null): Token;
  /** Whether one of these keys has made this token, for whomever. A guess is found out without the database. */
  isToken(text: string): boolean;
  /** A keyed hash of something personal, 22 characters. */
  pseudonym(...parts: readonly string[]): string;
};

export function createCredentials(keys: readonly string[]): Credentials {
  const [newest = ''] = keys;
  const named = keys.map((key) => ({ key, name: nameOf(key) }));
  const hashWith = (key: string, sid: string, code: string) =>
    code === '' ? Buffer.alloc(0) : mac(key, `${sid}\0${code}`);
  return {
    hash: (sid, code) => hashWith(newest, sid, code),
    hashes: (sid, code) => keys.map((key) => hashWith(key, sid, code)),
    tokenOf({ request_id, connection_id }, name) {
      const made = named.find((one) => one.name === name) ?? { key: newest, name: nameOf(newest) };
      const seed = ['token', connection_id, request_id.toLowerCase()].join('\0');
      const chance = mac(made.key, seed).subarray(0, chanceBytes);
      const token = Buffer.concat([chance, proofOf(made.key, chance)]).toString('base64url');
      return { token, key: made.name };
    },
    isToken(text) {
      if (text.length !== tokenCharacters) return false;
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length !== chanceBytes + proofBytes) return false;
      const [chance, proof] = [bytes.subarray(0, chanceBytes), bytes.subarray(chanceBytes)];
      return keys.some((key) => timingSafeEqual(proofOf(key, chance), proof));
    },
    pseudonym: remembered((text) => mac(newest, text).toString('base64url').slice(0, 22)),
  };
}

/** So many pseudonyms are remembered: a request asks for a dozen, most of them those of its network. */
const rememberedMax = 4_096;

function remembered(make: (text: string) => string): Credentials['pseudonym'] {
  const known = new Map<string, string>();
  return (...parts) => {
    const text = parts.join('\0');
    const pseudonym = known.get(text) ?? make(text);
    if (known.size >= rememberedMax) known.clear();
    known.set(text, pseudonym);
    return pseudonym;
  };
}

/** Compares in constant time. Anything but a whole hash equals nothing, not even itself. */
export function equalHashes(stored: Uint8Array | null, given: Uint8Array | null): boolean {
  return stored?.length === hashBytes && given?.length === hashBytes && timingSafeEqual(stored, given);
}

/** Whether what was stored is one of these, which are made with each of the keys. In constant time for each of them. */
export function matchesAny(stored: Uint8Array | null, hashes: readonly Uint8Array[]): boolean {
  return hashes.some((hash) => equalHashes(stored, hash));
}

/** The keys of CREDENTIAL_KEY, the newest first. */
export function credentialKeys(text: string): string[] {
  return text.split(',').map((key) => key.trim());
}

function mac(key: string, text: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function proofOf(key: string, chance: Uint8Array): Buffer {
  return mac(key, Buffer.concat([Buffer.from('token proof\0'), chance])).subarray(0, proofBytes);
}

/** Tells keys apart, and nothing about them. */
function nameOf(key: string): string {
  return createHash('sha256').update(`name of a key\0${key}`).digest('base64url').slice(0, 8);
}
