import type { QueryResultRow } from 'pg';
import type { Db } from './db.ts';

/**
 * A prepared statement: parsed and planned once a connection, under its name. Behind a pooler that does not keep
 * names it is parsed and planned each time.
 */
export type Statement = { readonly name: string; readonly text: string };

export async function runStatement<R extends QueryResultRow>(
  { pool, keepsStatements }: Pick<Db, 'pool' | 'keepsStatements'>,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<R[]> {
  const { rows } = await pool.query<R>({ ...(keepsStatements ? { name } : {}), text, values: [...values] });
  return rows;
}
