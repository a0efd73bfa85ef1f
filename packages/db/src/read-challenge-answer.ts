import type { Db } from './db.ts';
import { anonymousRequestId } from './fingerprint.ts';
import { runStatement } from './statement.ts';
import type { ChallengeVerdict } from './submit-challenge.ts';

type Answer = { readonly verdict?: ChallengeVerdict; readonly reason?: string };
type Asked = { readonly request_id: string; readonly connection_id: string };

const statement = {
  name: 'read_challenge_answer',
  text: 'SELECT answer FROM request WHERE user_id = 0 AND request_id = $1 AND answer IS NOT NULL',
};

/** Whether this request for a code was recorded by an earlier run, or given up and never happens. */
export async function wasChallengeRecorded(db: Db, asked: Asked): Promise<'recorded' | 'failed' | undefined> {
  const answer = await read(db, anonymousRequestId('record_challenge', asked));
  return answer && (answer.reason === 'failed' ? 'failed' : 'recorded');
}

/**
 * What an earlier run of this submission was told; to be asked before the challenge, which a right code has used
 * up, and before a provider, which knows its code no more. Undefined if there was none.
 */
export async function readVerdict(db: Db, asked: Asked): Promise<ChallengeVerdict | undefined> {
  const answer = await read(db, anonymousRequestId('submit_challenge', asked));
  return answer?.verdict;
}

async function read(db: Db, request_id: string): Promise<Answer | undefined> {
  const [row] = await runStatement<{ answer: Answer }>(db, statement, [request_id]);
  return row?.answer;
}
