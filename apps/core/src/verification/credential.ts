import { createHmac, timingSafeEqual } from 'node:crypto';

const hashBytes = 32;

/** The hash to store and to compare, 32 bytes. The hash of an empty code is empty, and equals no other. */
export type CredentialHash = (sid: string, code: string) => Buffer;

/**
 * HMAC-SHA256 over sid, NUL and code, keyed with CREDENTIAL_KEY.
 *
 * Why a key: a code has six digits, so a thief of the table could try all million codes against any hash, however slow,
 * in no time. With a key that the database does not know, the table reveals nothing. The sid is part of it: equal codes
 * of two users do not look equal, and a row copied to another user is worthless.
 *
 * Rotating the key makes every stored credential wrong: every user has to request a new code. Rotate it only when the
 * key has leaked, or may have.
 */
export function createCredentialHash(key: string): CredentialHash {
  return (sid, code) =>
    code === '' ? Buffer.alloc(0) : createHmac('sha256', key).update(`${sid}\0${code}`).digest();
}

/** Compares in constant time. Anything but a whole hash equals nothing, not even itself. */
export function equalHashes(stored: Uint8Array | null, given: Uint8Array | null): boolean {
  return stored?.length === hashBytes && given?.length === hashBytes && timingSafeEqual(stored, given);
}
