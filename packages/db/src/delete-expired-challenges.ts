import type { Db } from './db.ts';

const requestsKeptMs = 24 * 60 * 60_000;

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
  await prisma.request.deleteMany({
    where: { userId: 0n, dateCreated: { lt: new Date(now - requestsKeptMs) } },
  });
  return count;
}
