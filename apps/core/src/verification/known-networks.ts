import { type Credential, readCredential } from '@hooligram/db';
import type { Context } from '../context.ts';
import { networksOf } from '../limits/address.ts';
import type { Familiarity, Source } from '../limits/source.ts';
import type { Credentials } from './credential.ts';

/** How the database names the network of an address: a keyed hash of the widest one. Null for one that is not known. */
export function networkHash(credentials: Credentials, address: string): Buffer | null {
  const widest = networksOf(address).at(-1);
  if (widest === undefined) return null;
  return Buffer.from(credentials.pseudonym('network', widest).slice(0, 11), 'base64url');
}

export function isKnownFrom({ networks }: Pick<Credential, 'networks'>, network: Buffer): boolean {
  return networks.some((known) => network.equals(known));
}

/** A number that others have named as a member, and nobody verified, is nobody's. */
export async function readFamiliarity(
  { db, credentials }: Pick<Context, 'db' | 'credentials'>,
  { sid, address }: Source,
): Promise<Familiarity> {
  const user = await readCredential(db, sid);
  // One whose sessions an operator has ended has no credential, and a version.
  if (!user || (user.credential_hash === null && user.version === 0)) return 'nobody';
  const network = networkHash(credentials, address);
  return network && isKnownFrom(user, network) ? 'here' : 'user';
}

/** Whether the number signed in before in the network of the source. */
export async function signedInFrom(
  context: Pick<Context, 'db' | 'credentials'>,
  source: Source,
): Promise<boolean> {
  return source.address !== '' && (await readFamiliarity(context, source)) === 'here';
}
