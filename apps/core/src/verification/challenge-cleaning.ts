import { deleteExpiredChallenges } from '@hooligram/db';
import type { Context } from '../context.ts';

const everyMs = 60_000;

/**
 * Deletes expired challenges now and each minute. An expired one is refused anyway; this keeps the table small.
 *
 * @returns stops it
 */
export function startChallengeCleaning({ db, log }: Context): () => void {
  const clean = () =>
    deleteExpiredChallenges(db).catch((err: unknown) => log.warn({ err }, 'cleaning challenges failed'));
  void clean();
  const timer = setInterval(clean, everyMs);
  return () => clearInterval(timer);
}
