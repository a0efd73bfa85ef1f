import { type OpenCursor, readCredentials, readGroupIds } from '@hooligram/db';
import { sidOf } from '@hooligram/protocol';
import type { Context } from '../context.ts';
import { equalHashes } from '../verification/credential.ts';
import { type Handler, type HandlerRequest, refusal, success } from './handler.ts';

/**
 * Checks credentials, and names the groups that the gateway has to subscribe to before it reads them. An unknown number
 * and a wrong code get the same answer.
 */
export const authorizationSignInHandler: Handler<'AUTHORIZATION_SIGN_IN'> = {
  batchMax: 128,
  concurrency: 2,
  async handle(context, batch) {
    const { db } = context;
    const sids = batch.map(({ params }) => sidOf(params.country_code, params.phone_number));
    const users = await readCredentials(db, sids);
    const checked = await Promise.all(
      batch.map((request, index) => checkCredential(context, request, sids[index] as string, users[index])),
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
  { params: { address, verification_code } }: HandlerRequest<'AUTHORIZATION_SIGN_IN'>,
  sid: string,
  user: { user_id: number; credential_hash: Buffer | null } | null | undefined,
): Promise<{ user_id: number; sid: string } | 'wrongCredential' | 'tooManyAttempts'> {
  const given = credentialHash(sid, verification_code);
  const isRight = !!user?.credential_hash && equalHashes(user.credential_hash, given);
  // Beyond the limit a right code and a wrong one get the same answer.
  if (!(await limits.signIn({ sid, address }, isRight))) return 'tooManyAttempts';
  return isRight ? { user_id: user.user_id, sid } : 'wrongCredential';
}
