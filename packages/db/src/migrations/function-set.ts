import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { applyBehindLocks, type Waiting } from './apply-behind-locks.ts';

/** From src/ and from dist/ alike. */
export const defaultFunctionsDir = fileURLToPath(new URL('../../sql/functions', import.meta.url));

/** The SQL functions of a release: they are put in force together, or not at all. */
export type FunctionSet = {
  readonly names: readonly string[];
  /** Makes all of them. */
  readonly script: string;
  /** SHA-256 of the script. */
  readonly checksum: string;
};

type SqlFunction = { readonly name: string; readonly script: string };

/** Reads a folder with a file `<name>.sql` for each function. */
export function readFunctionSet(dir: string): FunctionSet {
  const functions = readdirSync(dir)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => readFunction(dir, file));
  const script = inOrderOfCalls(functions).join('\n');
  return {
    names: functions.map(({ name }) => name),
    script,
    checksum: createHash('sha256').update(script).digest('hex'),
  };
}

function readFunction(dir: string, file: string): SqlFunction {
  const name = file.slice(0, -'.sql'.length);
  const script = readFileSync(join(dir, file), 'utf8').replaceAll('\r\n', '\n');
  if (!script.includes(`CREATE OR REPLACE FUNCTION ${name}(`)) {
    throw new Error(`${file} does not contain CREATE OR REPLACE FUNCTION ${name}(`);
  }
  return { name, script };
}

/** A function in SQL can only be made after those that it calls. */
function inOrderOfCalls(functions: readonly SqlFunction[]): string[] {
  const seen = new Set<SqlFunction>();
  const ordered: string[] = [];
  const place = (one: SqlFunction) => {
    if (seen.has(one)) return;
    seen.add(one);
    for (const other of functions) {
      if (new RegExp(`\\b${other.name}\\(`).test(one.script)) place(other);
    }
    ordered.push(one.script);
  };
  functions.forEach(place);
  return ordered;
}

/**
 * Puts a set of functions in force, unless it is already, and drops those of the set before that it has no more.
 *
 * The database remembers every set that was in force, in their order. So a set that it does not know is newer than the
 * one in force, and one that it knows is the one in force or older. An older one stays out, so that a core or a command
 * of the release before changes nothing during a rollout, unless `back` is set: then the sets after it are forgotten.
 *
 * @throws Error when a function has two signatures: callers of the old one may still run, so the new one needs a name
 *   of its own
 */
export async function applyFunctions(
  { names, script, checksum }: FunctionSet,
  { back, ...waiting }: Waiting & { back: boolean },
): Promise<void> {
  const { client, log } = waiting;
  const { rows } = await client
    .query<{ checksum: string; names: string[]; is_whole: boolean }>(
      `SELECT checksum, names, (SELECT bool_and(to_regproc(name) IS NOT NULL) FROM unnest(names) AS name) AS is_whole
     FROM function_set ORDER BY id DESC`,
    )
    .catch((error: pg.DatabaseError) => {
      throw error.code === '42P01'
        ? new Error('the migrations come first: none of this release is there')
        : error;
    });
  const [inForce] = rows;
  if (inForce?.checksum === checksum && inForce.is_whole) return;
  if (inForce?.checksum !== checksum && rows.some((row) => row.checksum === checksum) && !back) {
    log('warning: the database has SQL functions that came after these, and keeps them (see --back)');
    return;
  }

  const dropped = inForce?.names.filter((name) => !names.includes(name)) ?? [];
  const known = pg.escapeLiteral(checksum);
  const listed = `ARRAY[${names.map(pg.escapeLiteral)}]`;
  await applyBehindLocks({
    ...waiting,
    name: 'the SQL functions',
    // The cast fails for a name with two signatures.
    script: `${script}
      ${dropped.length > 0 ? `DROP FUNCTION IF EXISTS ${dropped.map(pg.escapeIdentifier)};` : ''}
      SELECT name::regproc FROM unnest(${listed}) AS name;
      DELETE FROM function_set WHERE id > (SELECT id FROM function_set WHERE checksum = ${known});
      INSERT INTO function_set (checksum, names) VALUES (${known}, ${listed}) ON CONFLICT DO NOTHING;`,
  }).catch((error: pg.DatabaseError) => {
    const at = script
      .slice(0, Number(error.position ?? 0))
      .match(/FUNCTION \w+/g)
      ?.at(-1);
    throw new Error(`the SQL functions were not applied: ${error.message}${at ? ` (in ${at})` : ''}`, {
      cause: error,
    });
  });
  log('applied the SQL functions');
}
