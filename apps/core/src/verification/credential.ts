import { createHmac, timingSafeEqual } from 'node:crypto';

const HASH_BYTES = 32;

/** The hash to store and to compare, 32 bytes; of an empty code it is empty, and equals nothing. */
export type CredentialHash = (sid: string, code: string) => Buffer;

/**
 * HMAC-SHA256 over sid, NUL and code, keyed with CREDENTIAL_KEY.
 *
 * Why a key: a code has six digits, so whoever gets hold of the table could try all million codes against any
 * hash, however slow, in no time. With a key that the database does not know, the table tells nothing. The sid
 * is part of it, so that equal codes of two people do not look equal, and a row copied to another person is
 * worthless.
 *
 * Rotating the key makes every stored credential wrong: everybody has to ask for a new code. Only do it when
 * the key has leaked, or may have.
 */
export function createCredentialHash(key: string): CredentialHash {
  return (sid, code) =>
    code === '' ? Buffer.alloc(0) : createHmac('sha256', key).update(`${sid}\0${code}`).digest();
}

/** Compares in a time that does not tell how much is equal. What is no whole hash equals nothing, not even itself. */
export function equalHashes(stored: Uint8Array | null, given: Uint8Array | null): boolean {
  return stored?.length === HASH_BYTES && given?.length === HASH_BYTES && timingSafeEqual(stored, given);
}
