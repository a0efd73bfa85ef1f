import type { Db } from '../db.ts';

export type Challenge = {
  sid: string;
  /** Null: an outside provider keeps the code. */
  code_hash: Buffer | null;
  attempts: number;
  date_expires: Date;
};

/** The latest challenge of a connection, expired or not; null if it asked for no code or has used it up. */
export async function readChallenge({ prisma }: Db, connection_id: string): Promise<Challenge | null> {
  const found = await prisma.verificationChallenge.findUnique({ where: { connectionId: connection_id } });
  if (!found) return null;
  const { sid, codeHash, attempts, dateExpires } = found;
  return { sid, code_hash: codeHash && Buffer.from(codeHash), attempts, date_expires: dateExpires };
}
