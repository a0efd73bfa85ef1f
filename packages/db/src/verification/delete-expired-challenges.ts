import type { Db } from '../session/db.ts';

const requestsKeptMs = 24 * 60 * 60_000;
const portion = 5_000;

/**
 * Deletes challenges that have expired, and the requests of nobody that asked for them or submitted to them
 * once no second run of theirs can come any more. To be run now and then, by anybody.
 *
 * @returns how many challenges went
 */
export async function deleteExpiredChallenges({ prisma }: Db): Promise<number> {
  const now = Date.now();
  const { count } = await prisma.verificationChallenge.deleteMany({
    where: { dateExpires: { lt: new Date(now) } },
  });
  // In portions, so that the first one after a long pause does not run into the statement's timeout.
  let deleted: number;
  do {
    const old = new Date(now - requestsKeptMs);
    deleted = await prisma.$executeRaw`
      DELETE FROM request WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM request WHERE user_id = 0 AND date_created < ${old} LIMIT ${portion}))`;
  } while (deleted === portion);
  return count;
}
