import { type OpenCursor, readCredentials, readGroupIds } from '@hooligram/db';
import { sidOf } from '@hooligram/protocol';
import type { Context } from '../context.ts';
import { equalHashes } from '../verification/credential.ts';
import { type Asked, type Handler, refusal, success } from './handler.ts';

/**
 * Checks credentials, and names the groups that the gateway has to listen to before it reads them. A number
 * that nobody has and a code that is wrong get the same answer.
 */
export const authorizationSignInHandler: Handler<'AUTHORIZATION_SIGN_IN'> = {
  batchMax: 128,
  concurrency: 2,
  async run(context, batch) {
    const { db } = context;
    const sids = batch.map(({ params }) => sidOf(params.country_code, params.phone_number));
    const people = await readCredentials(db, sids);
    const checked = await Promise.all(
      batch.map((asked, index) => checkCredential(context, asked, sids[index] as string, people[index])),
    );
    const signedIn = checked.flatMap((result) => (typeof result === 'object' ? [result.user_id] : []));
    const read = signedIn.length > 0 ? await readGroupIds(db, signedIn) : [];
    const cursors = new Map<number, OpenCursor[]>();
    for (const [index, user_id] of signedIn.entries()) cursors.set(user_id, read[index] ?? []);
    return checked.map((result) => {
      if (typeof result === 'string') return refusal(result);
      const open = cursors.get(result.user_id) ?? [];
      const group_ids = open.map(({ group_id }) => group_id);
      const delivered_seqs = open.map(({ delivered_seq }) => delivered_seq);
      return success({ ...result, group_ids, delivered_seqs });
    });
  },
};

async function checkCredential(
  { limits, credentialHash }: Context,
  { params: { address, verification_code } }: Asked<'AUTHORIZATION_SIGN_IN'>,
  sid: string,
  person: { user_id: number; credential_hash: Buffer | null } | null | undefined,
): Promise<{ user_id: number; sid: string } | 'wrongCredential' | 'tooManyAttempts'> {
  const given = credentialHash(sid, verification_code);
  const isRight = !!person?.credential_hash && equalHashes(person.credential_hash, given);
  // Beyond the limit a right code and a wrong one get the same answer.
  if (!(await limits.signIn({ sid, address }, isRight))) return 'tooManyAttempts';
  return isRight ? { user_id: person.user_id, sid } : 'wrongCredential';
}
