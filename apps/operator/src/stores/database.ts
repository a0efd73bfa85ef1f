import { type Db, inspectSession, openDb } from '@hooligram/db';
import { type Place, requireDatabase } from '../config.ts';
import { exitCodes, Refusal } from '../program.ts';

const statementTimeoutMs = 30_000;

/** Lends a pool of connections to the database. @throws Refusal, ConfigError */
export async function withDatabase<T>(place: Place, use: (db: Db) => Promise<T>): Promise<T> {
  const url = requireDatabase(place);
  const session = await inspectSession({ url, statementTimeoutMs }).catch((error: Error) => {
    throw new Refusal(`the database does not answer: ${error.message} (DATABASE_URL)`, exitCodes.unreachable);
  });
  if (session.problem) throw new Refusal(session.problem);
  const db = openDb({ url, poolSize: 2, statementTimeoutMs, applicationName: 'hooligram', session });
  try {
    return await use(db);
  } finally {
    await db.close();
  }
}
