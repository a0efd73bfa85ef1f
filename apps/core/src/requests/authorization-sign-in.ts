import {
  acceptCredentials,
  type Credential,
  countCodeFailures,
  type OpenCursor,
  readCredentials,
  readGroupIds,
} from '@hooligram/db';
import { sidOf } from '@hooligram/protocol';
import type { Context } from '../context.ts';
import { networksOf } from '../limits/address.ts';
import { canBeCode, type GivenCredential, judge, type Right } from '../verification/sign-in.ts';
import { type Handler, type HandlerRequest, refusal, success } from './handler.ts';

type SignIn = HandlerRequest<'AUTHORIZATION_SIGN_IN'>;
type Refused = 'wrongCredential' | 'tooManyAttempts';

/**
 * Checks credentials, and names the groups that the gateway has to subscribe to before it reads them. An unknown number
 * and a wrong code get the same answer, for the same work.
 */
export const authorizationSignInHandler: Handler<'AUTHORIZATION_SIGN_IN'> = {
  // Small enough that what a batch computes makes no message wait for long.
  batchMax: 32,
  concurrency: 2,
  async handle(context, batch) {
    const { db } = context;
    const checked = await checkCredentials(context, batch);
    const signedIn = checked.flatMap((result) => (typeof result === 'object' ? [result.user.user_id] : []));
    const read = signedIn.length > 0 ? await readGroupIds(db, signedIn) : [];
    const cursors = new Map<number, OpenCursor[]>();
    for (const [index, user_id] of signedIn.entries()) cursors.set(user_id, read[index] ?? []);
    return checked.map((result) => {
      if (typeof result === 'string') return refusal(result);
      const { user_id, sid, version } = result.user;
      const open = cursors.get(user_id) ?? [];
      const group_ids = open.map(({ group_id }) => group_id);
      const delivered_seqs = open.map(({ delivered_seq }) => delivered_seq);
      return success({ user_id, sid, group_ids, delivered_seqs, credential_version: version });
    });
  },
};

/** Nothing is looked up for what cannot be a credential: neither one of our tokens nor a code. */
async function checkCredentials(context: Context, batch: readonly SignIn[]): Promise<(Right | Refused)[]> {
  const { db } = context;
  const given = batch.map((request) => givenOf(context, request));
  const toRead = given.flatMap((one) => (one ? [one.sid] : []));
  const users = await readCredentials(db, toRead);
  const userBySid = new Map(toRead.map((sid, index) => [sid, users[index] ?? null]));
  const guesses: number[] = [];
  const checked = await Promise.all(
    batch.map(({ params: { address } }, index) => {
      const one = given[index];
      const user = (one && userBySid.get(one.sid)) ?? null;
      return one ? checkOne(context, one, address, user, guesses) : 'wrongCredential';
    }),
  );
  await countCodeFailures(db, guesses);
  const accepted = checked.flatMap((result) => (typeof result === 'object' ? (result.accepted ?? []) : []));
  await acceptCredentials(db, accepted);
  return checked;
}

/** @param guesses a wrong code adds its user */
async function checkOne(
  { config, credentials, limits }: Context,
  given: GivenCredential,
  address: string,
  user: Credential | null,
  guesses: number[],
): Promise<Right | Refused> {
  const bounds = {
    failuresMax: config.CREDENTIAL_CODE_FAILURES_MAX,
    ttlMs: config.CREDENTIAL_CODE_TTL_DAYS * dayMs,
  };
  const right = judge(credentials, given, user, bounds);
  // Nobody guesses a token, so nobody can use up what its owner needs to sign in.
  if (given.isToken) return right ?? 'wrongCredential';
  // Beyond the limit a right code and a wrong one get the same answer.
  if (!(await limits.signIn({ sid: given.sid, address }, right !== undefined))) return 'tooManyAttempts';
  if (!right) guesses.push(user?.credential_hash ? user.user_id : 0);
  return right ?? 'wrongCredential';
}

const dayMs = 24 * 60 * 60_000;

function givenOf({ credentials }: Context, { params }: SignIn): GivenCredential | undefined {
  const { country_code, phone_number, verification_code: code, address } = params;
  const isToken = credentials.isToken(code);
  if (!isToken && !canBeCode(code)) return undefined;
  const widest = networksOf(address).at(-1);
  const network =
    widest === undefined
      ? null
      : Buffer.from(credentials.pseudonym('network', widest).slice(0, 11), 'base64url');
  return { sid: sidOf(country_code, phone_number), code, isToken, network };
}
