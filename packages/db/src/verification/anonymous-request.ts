import { createHash } from 'node:crypto';
import type { Db } from '../session/db.ts';
import { gathered } from '../statements/gathered.ts';
import { callFunction, rowsByPlace, runStatement } from '../statements/statement.ts';

/** A request of a connection on which nobody is signed in yet. It is kept as one of user 0. */
export type AnonymousRequest = { readonly request_id: string; readonly connection_id: string };

/**
 * What became of a request for a code. `sent`, and what a provider may say instead; `failed`: it was given up, and
 * never happens; `under_way`: the provider is being asked, or the core that asked it has died.
 */
export type CodeOutcome = 'sent' | 'refused' | 'too_many' | 'unavailable' | 'failed' | 'under_way';

/**
 * What became of a submitted code. `none`: the connection requested no code. `failed`: the submission was given up, and
 * never happens. Of a code that a provider keeps: `under_way`, it is being asked; `unavailable`, it did not say.
 */
export type ChallengeOutcome =
  | 'right'
  | 'wrong'
  | 'expired'
  | 'none'
  | 'too_many'
  | 'failed'
  | 'under_way'
  | 'unavailable';

/** The answer to a submission: what became of it, and of a right code also what it made. */
export type ChallengeAnswer = {
  readonly outcome: ChallengeOutcome;
  readonly user_id?: number;
  /** Of the new credential: sessions of an earlier one end. */
  readonly version?: number;
  readonly sid?: string;
  /** Names the key from which the token was made; null from a core that makes none. */
  readonly key?: string | null;
};

export type AnonymousOutcomes = {
  verification_request_code: CodeOutcome;
  verification_submit_code: ChallengeOutcome;
};
type Type = keyof AnonymousOutcomes;

/** The id under which it is kept. An equal `request_id` from another connection is another request. */
export function anonymousRequestId(type: Type, { request_id, connection_id }: AnonymousRequest): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([type, connection_id, request_id.toLowerCase()]))
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

// A recorded code without an outcome was sent.
const readStatement = {
  name: 'read_outcomes',
  text: `SELECT s.ord, coalesce(r.answer ->> 'outcome', 'sent') AS outcome
    FROM unnest($1::uuid[]) WITH ORDINALITY AS s (request_id, ord)
    CROSS JOIN LATERAL (
      SELECT * FROM request r WHERE r.user_id = 0 AND r.request_id = s.request_id AND r.answer IS NOT NULL LIMIT 1
    ) r`,
};

const readOutcomeOf = gathered(async (db, ids: readonly string[]) => {
  const rows = await runStatement<{ ord: number; outcome: string }>(db, readStatement, [ids]);
  return rowsByPlace(ids, rows).map(([row]) => row?.outcome);
});

const settleStatement = { name: 'settle_request', text: 'SELECT settle_request($1, $2, $3) AS outcome' };

/**
 * What became of an earlier run of this request; undefined if there was none. A submission asks this first: a right
 * code has used its challenge up, and its provider has forgotten it. Requests that ask at once share a statement.
 */
export async function readOutcome<T extends Type>(
  db: Db,
  type: T,
  request: AnonymousRequest,
): Promise<AnonymousOutcomes[T] | undefined> {
  const outcome = await readOutcomeOf(db, anonymousRequestId(type, request));
  return outcome as AnonymousOutcomes[T] | undefined;
}

const readAnswerStatement = {
  name: 'read_challenge_answer',
  text: 'SELECT answer FROM request WHERE user_id = 0 AND request_id = $1 AND answer IS NOT NULL',
};

/** The answer that stands for a submission; undefined if it has none. */
export async function readChallengeAnswer(
  db: Db,
  request: AnonymousRequest,
): Promise<ChallengeAnswer | undefined> {
  const values = [anonymousRequestId('verification_submit_code', request)];
  return (await runStatement<{ answer: ChallengeAnswer }>(db, readAnswerStatement, values))[0]?.answer;
}

/**
 * Gives a request that is under way its outcome.
 *
 * @param afterMs only if it began at least so long ago: then the core that began it has died
 * @returns the outcome that stands, which is the first one
 */
export async function settleOutcome<T extends Type>(
  db: Db,
  type: T,
  request: AnonymousRequest,
  outcome: AnonymousOutcomes[T],
  afterMs = 0,
): Promise<AnonymousOutcomes[T]> {
  const values = [anonymousRequestId(type, request), outcome, afterMs];
  return (await callFunction<{ outcome: AnonymousOutcomes[T] }>(db, settleStatement, values)).outcome;
}
