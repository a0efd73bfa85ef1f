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
import type { GuessAllowed } from '../limits/guesses.ts';
import type { Source } from '../limits/source.ts';
import { networkHash, signedInFrom } from '../verification/known-networks.ts';
import { canBeCode, type GivenCredential, judge, type Right } from '../verification/sign-in.ts';
import { type Handler, type HandlerRequest, limited, refusal, success } from './handler.ts';

type SignIn = HandlerRequest<'AUTHORIZATION_SIGN_IN'>;

/** A refusal: the seconds until a limit allows another try, or a wrong credential. */
type Refused = { readonly seconds: number; readonly code?: 'tooManyRequests' } | 'wrongCredential';

/** What a request gives, where it comes from, and what a guess may cost it; undefined: nothing that can be a credential. */
type Given = {
  readonly credential: GivenCredential;
  readonly source: Source;
  readonly allowed: GuessAllowed;
};

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
    const results = await checkCredentials(context, batch);
    const checked = results.map((result, index) => unlessTooOften(context, result, batch[index]?.request_id));
    // Of a user on several connections, once.
    const signedIn = [
      ...new Set(checked.flatMap((result) => (isRight(result) ? [result.user.user_id] : []))),
    ];
    const read = signedIn.length > 0 ? await readGroupIds(db, signedIn) : [];
    const cursors = new Map<number, OpenCursor[]>();
    for (const [index, user_id] of signedIn.entries()) cursors.set(user_id, read[index] ?? []);
    return checked.map((result) => {
      if (result === 'wrongCredential') return refusal(result);
      if (!isRight(result)) return limited(result.code ?? 'tooManyAttempts', result.seconds);
      const { user_id, sid, version } = result.user;
      const open = cursors.get(user_id) ?? [];
      const group_ids = open.map(({ group_id }) => group_id);
      const delivered_seqs = open.map(({ delivered_seq }) => delivered_seq);
      return success({ user_id, sid, group_ids, delivered_seqs, credential_version: version });
    });
  },
};

/** A right credential signs in so often: each time everything is read, and what waits is sent again. */
function unlessTooOften(
  { userLimits, clock }: Context,
  result: Right | Refused,
  request_id: string | undefined,
): Right | Refused {
  if (!userLimits || !isRight(result)) return result;
  const { signIns, report } = userLimits;
  const { user_id } = result.user;
  const nowMs = clock.now();
  if (!signIns.isOver(user_id, nowMs, request_id)) return result;
  report.add('sign_ins', user_id);
  return { code: 'tooManyRequests', seconds: signIns.waitSeconds(nowMs) };
}

/**
 * Nothing is looked up for what cannot be a credential, neither one of our tokens nor a code, and nothing for a code when
 * no guess is left.
 */
async function checkCredentials(context: Context, batch: readonly SignIn[]): Promise<(Right | Refused)[]> {
  const { db } = context;
  const given = await Promise.all(batch.map((request) => givenOf(context, request)));
  const sids = given.flatMap((one) => (one && 'budget' in one.allowed ? [one.source.sid] : []));
  const users = await readCredentials(db, sids);
  const userBySid = new Map(sids.map((sid, index) => [sid, users[index] ?? null]));
  const guesses: number[] = [];
  const checked = await Promise.all(
    given.map((one) =>
      one ? check(context, one, userBySid.get(one.source.sid) ?? null, guesses) : 'wrongCredential',
    ),
  );
  await countCodeFailures(db, guesses);
  await acceptCredentials(
    db,
    checked.flatMap((result) => (isRight(result) ? (result.accepted ?? []) : [])),
  );
  return checked;
}

/** @param guesses a wrong code adds its user */
async function check(
  { config, credentials, limits }: Context,
  { credential, source, allowed }: Given,
  user: Credential | null,
  guesses: number[],
): Promise<Right | Refused> {
  if ('seconds' in allowed) return allowed;
  const bounds = {
    failuresMax: config.CREDENTIAL_CODE_FAILURES_MAX,
    ttlMs: config.CREDENTIAL_CODE_TTL_DAYS * dayMs,
  };
  const right = judge(credentials, credential, user, bounds);
  // Nobody guesses a token, so nobody can use up what its owner needs to sign in.
  if (credential.isToken) return right ?? 'wrongCredential';
  // Beyond the limit a right code and a wrong one get the same answer.
  const seconds = await limits.guesses.tell(source, allowed.budget, right !== undefined);
  if (seconds > 0) return { seconds };
  if (right) await limits.guesses.succeeded(source, allowed.budget, false);
  else guesses.push(user?.credential_hash ? user.user_id : 0);
  return right ?? 'wrongCredential';
}

const dayMs = 24 * 60 * 60_000;

async function givenOf(context: Context, { params }: SignIn): Promise<Given | undefined> {
  const { credentials, limits } = context;
  const { country_code, phone_number, verification_code: code, address } = params;
  const isToken = credentials.isToken(code);
  if (!isToken && !canBeCode(code)) return undefined;
  const source = { sid: sidOf(country_code, phone_number), address };
  const allowed: GuessAllowed = isToken
    ? { budget: 'open' }
    : await limits.guesses.allow(source, () => signedInFrom(context, source));
  const credential = { sid: source.sid, code, isToken, network: networkHash(credentials, address) };
  return { credential, source, allowed };
}

function isRight(result: Right | Refused): result is Right {
  return typeof result === 'object' && 'user' in result;
}
