import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freshDatabase } from '../../test/test-db.ts';
import { type Db, openDb } from '../session/db.ts';
import { runStatement } from './statement.ts';

let db: Db;
beforeAll(async () => {
  db = openDb({ url: await freshDatabase(), applicationName: 'test', poolSize: 1 });
});
afterAll(() => db.close());

const statement = {
  name: 'lists',
  text: 'SELECT to_json($1::bigint[]) AS numbers, to_json($2::boolean[]) AS flags, to_json($3::text[]) AS texts',
};

test('lists of numbers, truth values and texts reach Postgres as they are, whatever is in them', async () => {
  const lists = [
    { numbers: [], flags: [], texts: [] },
    { numbers: [0], flags: [false], texts: [''] },
    {
      numbers: [1, -2, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
      flags: [true, false, true],
      texts: ['NULL', '{}', 'a,b', ' c ', '"', '\\', "'", '7', 'true', '\n'],
    },
    { numbers: [1, null, 3], flags: [null, true], texts: [null, 'null'] },
  ];
  for (const given of lists) {
    const values = [given.numbers, given.flags, given.texts];
    expect(await runStatement(db, statement, values)).toEqual([given]);
  }
});
