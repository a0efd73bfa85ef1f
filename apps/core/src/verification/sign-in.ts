import type { AcceptedCredential, Credential } from '@hooligram/db';
import { type Credentials, equalHashes, matchesAny } from './credential.ts';
import { isKnownFrom } from './known-networks.ts';

/** What somebody signs in with. */
export type GivenCredential = {
  readonly sid: string;
  readonly code: string;
  readonly isToken: boolean;
  /** A keyed hash of the network that it comes from; null if that is not known. */
  readonly network: Buffer | null;
};

/** What bounds a code, and no token. */
export type CodeBounds = {
  /** Wrong guesses in its whole life. */
  readonly failuresMax: number;
  readonly ttlMs: number;
};

/** A right credential. `accepted`: what has to be stored for it, if anything is new. */
export type Right = { readonly user: Credential; readonly accepted?: AcceptedCredential };

/** What a code can look like; anything else is wrong, and no guess at one. */
export function canBeCode(text: string): boolean {
  return /^\d{4,10}$/.test(text);
}

/** @returns undefined if it is wrong, whether the number is known or not */
export function judge(
  credentials: Credentials,
  given: GivenCredential,
  user: Credential | null,
  bounds: CodeBounds,
): Right | undefined {
  const { sid, code, isToken } = given;
  const stored = (isToken ? user?.token_hash : user?.credential_hash) ?? null;
  const hashes = credentials.hashes(sid, code);
  const [hash] = hashes;
  // Compared whatever else is wrong: the same work for every number.
  const matches = matchesAny(stored, hashes);
  if (!user || !matches || !hash || (!isToken && !isCodeGood(user, bounds))) return undefined;
  const isKnown = !given.network || isKnownFrom(user, given.network);
  const isAsStored =
    equalHashes(user.credential_hash, hash) && (!isToken || equalHashes(user.token_hash, hash));
  if (isAsStored && isKnown && user.code_failures === 0) return { user };
  const accepted = {
    user_id: user.user_id,
    version: user.version,
    credential_hash: hash,
    token_hash: isToken ? hash : null,
    stored_hash: isToken ? null : user.credential_hash,
    network: given.network,
  };
  return { user, accepted };
}

function isCodeGood(
  { credential_hash, token_hash, code_failures, age_ms }: Credential,
  { failuresMax, ttlMs }: CodeBounds,
): boolean {
  if (equalHashes(credential_hash, token_hash)) return false;
  return code_failures < failuresMax && (age_ms ?? 0) <= ttlMs;
}
