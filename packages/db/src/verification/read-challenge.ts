import type { Db } from '../session/db.ts';

type Challenge = {
  sid: string;
  /** Null: a provider keeps the code. */
  code_hash: Buffer | null;
};

/** The latest challenge of a connection, expired or not; null if it requested no code or has used it up. */
export async function readChallenge({ prisma }: Db, connection_id: string): Promise<Challenge | null> {
  const found = await prisma.verificationChallenge.findUnique({ where: { connectionId: connection_id } });
  return found && { sid: found.sid, code_hash: found.codeHash && Buffer.from(found.codeHash) };
}
