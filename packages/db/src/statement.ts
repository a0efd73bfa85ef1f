import type { QueryResultRow } from 'pg';
import type { Db } from './db.ts';

/** A prepared statement: parsed and planned once a connection, under its name. */
export type Statement = { readonly name: string; readonly text: string };

export async function runStatement<R extends QueryResultRow>(
  { pool }: Pick<Db, 'pool'>,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<R[]> {
  const { rows } = await pool.query<R>({ name, text, values: [...values] });
  return rows;
}
