import type { Db } from '../db.ts';
import { anonymousRequestId } from '../groups/fingerprint.ts';
import { runStatement } from '../statement.ts';
import type { ChallengeOutcome } from './verification-submit-code.ts';

/**
 * What became of a request for a code. `sent`, and what a provider may say instead; `failed`: it was given up, and
 * never happens; `under_way`: the provider is being asked, or whoever asked it has died.
 */
export type CodeOutcome = 'sent' | 'refused' | 'too_many' | 'unavailable' | 'failed' | 'under_way';

export type AnonymousRequest = { readonly request_id: string; readonly connection_id: string };

type Answer = { readonly verdict?: string };

const readStatement = {
  name: 'read_challenge_answer',
  text: 'SELECT answer FROM request WHERE user_id = 0 AND request_id = $1 AND answer IS NOT NULL',
};

const settleStatement = { name: 'settle_request', text: 'SELECT settle_request($1, $2, $3) AS answer' };

/** What became of this request for a code; undefined if no run of it has recorded it. */
export async function readCodeOutcome(db: Db, asked: AnonymousRequest): Promise<CodeOutcome | undefined> {
  const answer = await read(db, anonymousRequestId('record_challenge', asked));
  return answer && codeOutcomeOf(answer);
}

/**
 * What an earlier run of this submission was told; to be asked before the challenge, which a right code has used
 * up, and before a provider, which knows its code no more. Undefined if there was none.
 */
export async function readVerdict(db: Db, asked: AnonymousRequest): Promise<ChallengeOutcome | undefined> {
  const answer = await read(db, anonymousRequestId('submit_challenge', asked));
  return answer?.verdict as ChallengeOutcome | undefined;
}

/**
 * Gives a request for a code that is under way its outcome.
 *
 * @param afterMs only if it has been under way for so long: whoever began it has died
 * @returns the outcome that stands: the first one, whoever gave it
 */
export async function settleCodeOutcome(
  db: Db,
  asked: AnonymousRequest,
  outcome: CodeOutcome,
  afterMs = 0,
): Promise<CodeOutcome> {
  return codeOutcomeOf(await settle(db, 'record_challenge', asked, outcome, afterMs));
}

/** The same for a submission: one that whoever began it cannot end any more is `unavailable`. */
export async function settleVerdict(
  db: Db,
  asked: AnonymousRequest,
  afterMs: number,
): Promise<ChallengeOutcome> {
  const answer = await settle(db, 'submit_challenge', asked, 'unavailable', afterMs);
  return answer.verdict as ChallengeOutcome;
}

async function settle(
  db: Db,
  kind: 'record_challenge' | 'submit_challenge',
  asked: AnonymousRequest,
  verdict: string,
  afterMs: number,
): Promise<Answer> {
  const values = [anonymousRequestId(kind, asked), { verdict }, afterMs];
  const [row] = await runStatement<{ answer: Answer }>(db, settleStatement, values);
  return (row as { answer: Answer }).answer;
}

async function read(db: Db, request_id: string): Promise<Answer | undefined> {
  const [row] = await runStatement<{ answer: Answer }>(db, readStatement, [request_id]);
  return row?.answer;
}

/** The release before answered `{"ok": true}` when the code was recorded, and took it for sent. */
function codeOutcomeOf({ verdict = 'sent' }: Answer): CodeOutcome {
  return verdict as CodeOutcome;
}
