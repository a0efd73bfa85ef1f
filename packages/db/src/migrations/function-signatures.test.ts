import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { freshDatabase, inSession } from '../../test/test-db.ts';
import { defaultFunctionsDir, readFunctionSet } from './function-set.ts';

type Signature = { readonly name: string; readonly parameters: string; readonly result: string };

/** What cores of every release call, or called: a function that takes or returns something else has another name. */
const known = JSON.parse(
  readFileSync(new URL('../../sql/signatures.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly [parameters: string, result: string]>>;

test('every SQL function has the signature with which it came', async () => {
  const { names } = readFunctionSet(defaultFunctionsDir);
  const { rows } = await inSession(await freshDatabase(), (client) =>
    client.query<Signature>(
      `SELECT proname AS name, pg_get_function_arguments(oid) AS parameters, pg_get_function_result(oid) AS result
       FROM pg_proc WHERE proname = ANY($1) AND pronamespace = current_schema()::regnamespace ORDER BY proname`,
      [names],
    ),
  );
  const found = rows.map(({ name, parameters, result }) => [name, [parameters, result]]);
  expect(Object.fromEntries(found)).toEqual(known);
});
