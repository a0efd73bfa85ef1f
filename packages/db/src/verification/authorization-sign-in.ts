import type { Db } from '../session/db.ts';

type Credential = {
  user_id: number;
  sid: string;
  /** Null: another user has named them as a member, and they were never verified. */
  credential_hash: Buffer | null;
};

/** The users of these sids, in their order; null for a sid that no user has. */
export async function readCredentials(
  { prisma }: Db,
  sids: readonly string[],
): Promise<(Credential | null)[]> {
  if (sids.length === 0) return [];
  const users = await prisma.user.findMany({
    where: { sid: { in: [...new Set(sids)] } },
    select: { id: true, sid: true, credentialHash: true },
  });
  const bySid = new Map<string, Credential>();
  for (const { id, sid, credentialHash } of users) {
    bySid.set(sid, {
      user_id: Number(id),
      sid,
      credential_hash: credentialHash && Buffer.from(credentialHash),
    });
  }
  return sids.map((sid) => bySid.get(sid) ?? null);
}
