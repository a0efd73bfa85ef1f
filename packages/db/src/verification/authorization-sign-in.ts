import type { Db } from '../session/db.ts';

export type Credential = {
  user_id: number;
  sid: string;
  /** Null: named by somebody as a member, never verified. */
  credential_hash: Buffer | null;
};

/** The people of these sids, in their order; null for a sid that nobody has. */
export async function readCredentials(
  { prisma }: Db,
  sids: readonly string[],
): Promise<(Credential | null)[]> {
  if (sids.length === 0) return [];
  const people = await prisma.user.findMany({
    where: { sid: { in: [...new Set(sids)] } },
    select: { id: true, sid: true, credentialHash: true },
  });
  const bySid = new Map<string, Credential>();
  for (const { id, sid, credentialHash } of people) {
    bySid.set(sid, {
      user_id: Number(id),
      sid,
      credential_hash: credentialHash && Buffer.from(credentialHash),
    });
  }
  return sids.map((sid) => bySid.get(sid) ?? null);
}
