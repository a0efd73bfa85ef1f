import type { Db } from '@hooligram/db';
import { createMetrics } from '@hooligram/service';
import { until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { createRestartMetrics, startRestartWatch } from './store-restarts.ts';
import type { Stores } from './stores.ts';

/** Redis servers, by the names of their processes, and how often each was asked for it. */
function severalRedis(...names: string[]) {
  const asked = names.map(() => 0);
  const all = names.map((_, index) => {
    const info = async () => {
      asked[index] = (asked[index] ?? 0) + 1;
      return `run_id:${names[index]}\r\n`;
    };
    return { index, redis: { command: { info } } };
  });
  return { names, asked, shards: { all: () => all } as unknown as Stores['shards'] };
}

test.each([
  [
    'of several Redis for the one that was restarted',
    ['a', 'b'],
    '{redis="1",role="core"}',
    '{redis="0",role="core"}',
  ],
  ['of one Redis without a label', ['b'], '{role="core"}', undefined],
])('a restart is counted, %s', async (_, before, restarted, other) => {
  const metrics = createMetrics({ role: 'core' });
  const { names, asked, shards } = severalRedis(...before);
  // No database: a store that does not answer says nothing.
  const db = undefined as unknown as Db;
  const watch = startRestartWatch({ shards, db }, createRestartMetrics(metrics, before.length), 1);
  try {
    const last = before.length - 1;
    await until('each was asked twice', () => asked.every((times) => times > 1));
    expect(await metrics.text()).toContain(`hooligram_core_redis_restarts_total${restarted} 0\n`);
    names[last] = 'another';
    const line = `hooligram_core_redis_restarts_total${restarted} 1\n`;
    await until('it is counted', async () => (await metrics.text()).includes(line));
    if (other) expect(await metrics.text()).toContain(`hooligram_core_redis_restarts_total${other} 0\n`);
  } finally {
    watch.close();
  }
});
