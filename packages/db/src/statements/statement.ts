import type { QueryResultRow } from 'pg';
import type { Db } from '../session/db.ts';
import { isRerunnable } from './errors.ts';

/**
 * A prepared statement: parsed and planned once a connection, under its name. Behind a pooler that does not keep
 * names it is parsed and planned each time.
 */
export type Statement = { readonly name: string; readonly text: string };

export async function runStatement<R extends QueryResultRow>(
  { pool, keepsStatements, onStatement }: Pick<Db, 'pool' | 'keepsStatements' | 'onStatement'>,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<R[]> {
  const sentAt = performance.now();
  const parameters = values.map(parameterOf);
  const query = { name: keepsStatements ? name : undefined, text, values: parameters };
  try {
    return (await pool.query<R>(query)).rows;
  } finally {
    // The slowest are those that reach their timeout, and fail.
    onStatement(name, performance.now() - sentAt);
  }
}

/**
 * A list of numbers or of truth values as Postgres reads it. The driver would quote and escape each of them, and Postgres take
 * the quotes off again. Of texts that is needed.
 */
function parameterOf(value: unknown): unknown {
  return Array.isArray(value) && value.every(isPlain) ? `{${value.join()}}` : value;
}

function isPlain(item: unknown): boolean {
  return typeof item === 'number' || typeof item === 'boolean';
}

/** Runs a statement that calls an SQL function, and returns its one row. It runs again when it lost a race. */
export async function callFunction<R extends QueryResultRow>(
  db: Db,
  statement: Statement,
  values: readonly unknown[],
): Promise<R> {
  const [row] = await rerun(db, () => runStatement<R>(db, statement, values));
  return row as R;
}

const runsMax = 5;

/** Runs a statement that is its own transaction again when it lost a race: it was rolled back as a whole. */
export async function rerun<T>({ onRerun }: Pick<Db, 'onRerun'>, run: () => Promise<T>): Promise<T> {
  for (let runs = 1; ; runs += 1) {
    try {
      return await run();
    } catch (error) {
      if (runs === runsMax || !isRerunnable(error)) throw error;
      onRerun();
    }
  }
}

type WithoutPlace<R> = R extends unknown ? Omit<R, 'ord'> : never;

/**
 * The rows that belong to each of the questions. A row's `ord` is the place of its question, counted from 1 as
 * WITH ORDINALITY does.
 */
export function rowsByPlace<R extends { ord: number }>(
  questions: readonly unknown[],
  rows: readonly R[],
): WithoutPlace<R>[][] {
  const found: WithoutPlace<R>[][] = questions.map(() => []);
  for (const { ord, ...row } of rows) found[ord - 1]?.push(row as WithoutPlace<R>);
  return found;
}
