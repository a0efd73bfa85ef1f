import type { QueryConfig, QueryResult } from 'pg';
import type { Db } from './db.ts';

/**
 * The same database for statements of which only so many may be in progress at once; the others wait, and take no
 * connection meanwhile. It bounds what `runStatement` runs, and not what goes through Prisma.
 */
export function boundedDb(db: Db, statementsMax: number): Db {
  const waiting: (() => void)[] = [];
  let free = statementsMax;
  async function query(config: QueryConfig): Promise<QueryResult> {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await db.pool.query(config);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  }
  return { ...db, pool: Object.create(db.pool, { query: { value: query } }) };
}
