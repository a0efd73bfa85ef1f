import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { emptyDatabase, freshDatabase, inSession } from '../../test/test-db.ts';
import { checkDatabase } from '../session/check-database.ts';
import { defaultFunctionsDir, readFunctionSet } from './function-set.ts';
import { migrate } from './migrate.ts';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

/** A folder of SQL functions, by name. */
function folder(functions: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'hooligram-functions-'));
  dirs.push(dir);
  for (const [name, script] of Object.entries(functions)) writeFileSync(join(dir, `${name}.sql`), script);
  return dir;
}

/** A function without parameters that returns a number. */
const returning = (name: string, value: number | string) =>
  `CREATE OR REPLACE FUNCTION ${name}() RETURNS INT LANGUAGE sql RETURN ${value};`;

/** Applies a folder of functions. @returns what was logged */
async function apply(url: string, functionsDir: string, back = false): Promise<string[]> {
  const lines: string[] = [];
  await migrate({ url, functionsDir, functionsOnly: true, back, log: (line) => lines.push(line) });
  return lines;
}

async function read(url: string, sql: string): Promise<unknown[]> {
  const { rows } = await inSession(url, (client) => client.query({ text: sql, rowMode: 'array' }));
  return rows.flat();
}

const check = (url: string) => inSession(url, checkDatabase);
const applied = ['applied the SQL functions'];

test('functions are applied when their text has changed, and dropped when they have no file any more', async () => {
  const url = await freshDatabase();
  const first = { one: returning('one', 1), two: returning('two', 2) };
  expect(await apply(url, folder(first))).toEqual(applied);
  expect(await apply(url, folder(first))).toEqual([]);
  expect(await read(url, 'SELECT one() + two()')).toEqual([3]);
  expect(await apply(url, folder({ one: returning('one', 10) }))).toEqual(applied);
  expect(await read(url, `SELECT one(), to_regproc('two')`)).toEqual([10, null]);
});

test('a function may call one that comes later by name', async () => {
  const url = await freshDatabase();
  await apply(url, folder({ one: returning('one', 'two() + 1'), two: returning('two', 2) }));
  expect(await read(url, 'SELECT one()')).toEqual([3]);
});

test('other line endings are no change', () => {
  const script = 'CREATE OR REPLACE FUNCTION one() RETURNS INT\nLANGUAGE sql RETURN 1;\n';
  const sets = [script, script.replaceAll('\n', '\r\n')].map((one) => readFunctionSet(folder({ one })));
  expect(sets[0]).toEqual(sets[1]);
});

test('functions of the release before do not replace later ones, unless they are put back', async () => {
  const url = await freshDatabase();
  const [before, later] = [folder({ one: returning('one', 1) }), folder({ one: returning('one', 2) })];
  await apply(url, before);
  await apply(url, later);
  expect(await apply(url, before)).toEqual([expect.stringMatching(/^warning: .* came after these/)]);
  expect(await read(url, 'SELECT one()')).toEqual([2]);
  expect(await apply(url, before, true)).toEqual(applied);
  expect(await read(url, 'SELECT one()')).toEqual([1]);
  expect(await apply(url, later)).toEqual(applied);
});

test('a function that a migration dropped is made again', async () => {
  const url = await freshDatabase();
  await inSession(url, (client) => client.query('DROP FUNCTION wire_date CASCADE'));
  expect(await check(url)).toMatch(
    /^the database lacks SQL functions of this release: group_state, small_group_state, wire_date \(/,
  );
  await migrate({ url });
  expect(await check(url)).toBe(true);
});

test('one faulty function changes none, and is named; a changed signature is a fault', async () => {
  const url = await freshDatabase();
  await apply(url, folder({ one: returning('one', 1), two: returning('two', 2) }));
  const faulty = { one: returning('one', 5), two: returning('two', 'nonsense') };
  await expect(apply(url, folder(faulty))).rejects.toThrow(
    'column "nonsense" does not exist (in FUNCTION two)',
  );
  const changed = returning('one', 5).replace('one()', 'one(other INT)');
  await expect(apply(url, folder({ one: changed }))).rejects.toThrow('more than one function named "one"');
  await expect(apply(url, folder({ one: returning('two', 5) }))).rejects.toThrow(/^one.sql does not contain/);
  expect(await read(url, 'SELECT one() + two()')).toEqual([3]);
});

test('a core tells older functions than its own, and takes later ones', async () => {
  const url = await freshDatabase();
  const [own, later] = [readFunctionSet(defaultFunctionsDir), 'later'];
  const rename = (from: string, to: string) =>
    inSession(url, (client) =>
      client.query('UPDATE function_set SET checksum = $2 WHERE checksum = $1', [from, to]),
    );
  await rename(own.checksum, 'older');
  expect(await check(url)).toMatch(
    /older SQL functions.* \(run node packages\/db\/dist\/migrations\/main.js --functions\)/,
  );
  await rename('older', own.checksum);
  await inSession(url, (client) =>
    client.query('INSERT INTO function_set (checksum, names) VALUES ($1, $2)', [later, own.names]),
  );
  expect(await check(url)).toBe(true);
});

test('behind another tool that has applied the migrations, the functions are applied alone', async () => {
  const url = await emptyDatabase();
  await expect(apply(url, defaultFunctionsDir)).rejects.toThrow('the migrations come first');
  await migrate({ url, functionsDir: folder({}) });
  expect(await check(url)).toMatch(/lacks SQL functions/);
  expect(await apply(url, defaultFunctionsDir)).toEqual(applied);
  expect(await check(url)).toBe(true);
});

test('several processes apply the functions at once, and one does it', async () => {
  const url = await freshDatabase();
  const dir = folder({ one: returning('one', 1) });
  const runs = await Promise.all(Array.from({ length: 4 }, () => apply(url, dir)));
  expect(runs.flat()).toEqual(applied);
});
