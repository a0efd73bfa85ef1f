import type { Db } from './db.ts';
import { anonymousRequestId } from './fingerprint.ts';
import { runStatement } from './statement.ts';
import type { ChallengeVerdict } from './submit-challenge.ts';

type Asked = { readonly request_id: string; readonly connection_id: string };

const statement = {
  name: 'read_challenge_answer',
  text: 'SELECT answer FROM request WHERE user_id = 0 AND request_id = $1 AND answer IS NOT NULL',
};

/** Whether this request for a code was recorded by an earlier run. */
export async function wasChallengeRecorded(db: Db, asked: Asked): Promise<boolean> {
  return (await read(db, anonymousRequestId('record_challenge', asked))) !== undefined;
}

/**
 * What an earlier run of this submission was told; to be asked before the challenge, which a right code has used
 * up, and before a provider, which knows its code no more. Undefined if there was none.
 */
export async function readVerdict(db: Db, asked: Asked): Promise<ChallengeVerdict | undefined> {
  const answer = await read(db, anonymousRequestId('submit_challenge', asked));
  return answer?.verdict;
}

async function read(db: Db, request_id: string): Promise<{ verdict?: ChallengeVerdict } | undefined> {
  const [row] = await runStatement<{ answer: { verdict?: ChallengeVerdict } }>(db, statement, [request_id]);
  return row?.answer;
}
