import { openDb } from '@hooligram/db';
import { freshDatabase, patienceMs } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { cases } from '../src/year/cases.ts';
import { fill, groupsFor } from '../src/year/fill.ts';
import { Plans } from '../src/year/plans.ts';

test('what the workload year asks for is there in a database that it has filled, and every statement has a plan with its blocks', async () => {
  const url = await freshDatabase();
  const rows = 10_000;
  const filled = await fill(url, { groups: groupsFor(rows), rows }, () => {}, new AbortController().signal);
  const db = openDb({ url, poolSize: 1, statementTimeoutMs: patienceMs, applicationName: 'year' });
  try {
    const plans = await Plans.of(db);
    for (const [turn, each] of cases.entries()) {
      const { all } = await plans.blocksOf(() => each.ask(db, filled, turn));
      expect([each.name, all > 0]).toEqual([each.name, true]);
    }
    const upkeep = cases.find(({ name }) => name === 'upkeep');
    const text = await plans.textOf(async () => upkeep?.ask(db, filled, cases.length));
    // The function's own statements, too.
    expect(text).toMatch(/upkeep_messages\(\$1/);
    expect(text).toMatch(/ on message x[\s\S]*Buffers: shared (hit|read)=\d/);
  } finally {
    await db.close();
  }
});
