import { type Credential, readCredentials } from '@hooligram/db';
import type { Context } from '../context.ts';
import { networksOf } from '../limits/address.ts';
import type { Source } from '../limits/source.ts';
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

/** Whether the number signed in before in the network of the source. */
export async function signedInFrom(
  { db, credentials }: Pick<Context, 'db' | 'credentials'>,
  { sid, address }: Source,
): Promise<boolean> {
  const network = networkHash(credentials, address);
  if (!network) return false;
  const [user] = await readCredentials(db, [sid]);
  return !!user && isKnownFrom(user, network);
}
