import type { Outcome } from '@hooligram/contract';
import {
  acceptCredentials,
  type Credential,
  countCodeFailures,
  type Db,
  type OpenCursor,
  readCredentials,
  readGroupIds,
} from '@hooligram/db';
import { sidOf } from '@hooligram/protocol';
import type { Context } from '../context.ts';
import type { GuessAllowed } from '../limits/guesses.ts';
import { orGiveBack, type Taken } from '../limits/limit.ts';
import type { Source } from '../limits/source.ts';
import type { TakenOfUser } from '../limits/user-rate.ts';
import { networkHash, signedInFrom } from '../verification/known-networks.ts';
import { canBeCode, type GivenCredential, judge, type Right } from '../verification/sign-in.ts';
import { type Handler, type HandlerRequest, limited, refusal, success } from './handler.ts';

type SignIn = HandlerRequest<'AUTHORIZATION_SIGN_IN'>;

/** A refusal: the seconds until a limit allows another try, or a wrong credential. */
type Refused = { readonly seconds: number; readonly code?: 'tooManyRequests' } | 'wrongCredential';

/** @param failureOf whose code was guessed wrong; 0 for a number without a code */
type Checked = { readonly result: Right | Refused; readonly failureOf?: number };

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
  handle: (context, batch) => {
    const guesses: Taken[] = [];
    const taken = {
      async giveBack() {
        await Promise.all(guesses.map((guess) => guess.giveBack()));
      },
    };
    return orGiveBack(taken, () => signIn(context, batch, guesses));
  },
};

/** @param guesses what was counted for wrong codes is added: a batch that fails is run again */
async function signIn(
  context: Context,
  batch: readonly SignIn[],
  guesses: Taken[],
): Promise<Outcome<'AUTHORIZATION_SIGN_IN'>[]> {
  const { db, userLimits } = context;
  const checked = await checkCredentials(context, batch, guesses);
  const signIns: TakenOfUser[] = [];
  const results = checked.map(({ result }) => unlessTooOften(context, result, signIns));
  const write = async () => {
    const cursors = await readCursors(db, results);
    await acceptCredentials(
      db,
      checked.flatMap(({ result }) => (isRight(result) ? (result.accepted ?? []) : [])),
    );
    // Last: what fails before is run again, and a wrong code would count each time.
    await countCodeFailures(
      db,
      checked.flatMap(({ failureOf }) => failureOf ?? []),
    );
    return cursors;
  };
  const cursors = await (userLimits ? userLimits.signIns.during(signIns, write) : write());
  return results.map((result) => {
    if (result === 'wrongCredential') return refusal(result);
    if (!isRight(result)) return limited(result.code ?? 'tooManyAttempts', result.seconds);
    const { user_id, sid, version } = result.user;
    const open = cursors.get(user_id) ?? [];
    const group_ids = open.map(({ group_id }) => group_id);
    const delivered_seqs = open.map(({ delivered_seq }) => delivered_seq);
    return success({ user_id, sid, group_ids, delivered_seqs, credential_version: version });
  });
}

/** Of a user on several connections, once. */
async function readCursors(
  db: Db,
  results: readonly (Right | Refused)[],
): Promise<ReadonlyMap<number, readonly OpenCursor[]>> {
  const signedIn = [...new Set(results.flatMap((result) => (isRight(result) ? [result.user.user_id] : [])))];
  const read = signedIn.length > 0 ? await readGroupIds(db, signedIn) : [];
  return new Map(signedIn.map((user_id, index) => [user_id, read[index] ?? []]));
}

/**
 * A right credential signs in so often: each time everything is read, and what waits is sent again.
 * @param signIns what was counted is added
 */
function unlessTooOften(
  { userLimits, clock }: Context,
  result: Right | Refused,
  signIns: TakenOfUser[],
): Right | Refused {
  if (!userLimits || !isRight(result)) return result;
  const { user_id } = result.user;
  const nowMs = clock.now();
  const taken = userLimits.signIns.take(user_id, nowMs);
  if (taken) {
    signIns.push(taken);
    return result;
  }
  userLimits.report.add('sign_ins', user_id);
  return { code: 'tooManyRequests', seconds: userLimits.signIns.waitSeconds(nowMs) };
}

/**
 * Nothing is looked up for what cannot be a credential, neither one of our tokens nor a code, and nothing for a code when
 * no guess is left.
 */
async function checkCredentials(
  context: Context,
  batch: readonly SignIn[],
  guesses: Taken[],
): Promise<Checked[]> {
  const given = await Promise.all(batch.map((request) => givenOf(context, request)));
  const sids = given.flatMap((one) => (one && 'budget' in one.allowed ? [one.source.sid] : []));
  const users = await readCredentials(context.db, sids);
  const userBySid = new Map(sids.map((sid, index) => [sid, users[index] ?? null]));
  return Promise.all(
    given.map((one) => (one ? check(context, one, userBySid.get(one.source.sid) ?? null, guesses) : wrong)),
  );
}

/** @param guesses what was counted for a wrong code is added */
async function check(
  { config, credentials, limits }: Context,
  { credential, source, allowed }: Given,
  user: Credential | null,
  guesses: Taken[],
): Promise<Checked> {
  if ('seconds' in allowed) return { result: allowed };
  const bounds = {
    failuresMax: config.CREDENTIAL_CODE_FAILURES_MAX,
    ttlMs: config.CREDENTIAL_CODE_TTL_DAYS * dayMs,
  };
  const right = judge(credentials, credential, user, bounds);
  // Nobody guesses a token, so nobody can use up what its owner needs to sign in.
  if (credential.isToken) return right ? { result: right } : wrong;
  // Beyond the limit a right code and a wrong one get the same answer.
  const taken = await limits.guesses.tell(source, allowed.budget, right !== undefined);
  if ('seconds' in taken) return { result: taken };
  if (right) {
    await limits.guesses.succeeded(source, allowed.budget);
    return { result: right };
  }
  guesses.push(taken);
  return { ...wrong, failureOf: user?.credential_hash ? user.user_id : 0 };
}

const wrong = { result: 'wrongCredential' } as const;
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
