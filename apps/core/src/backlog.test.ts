import { connectRedis, createNames, type RedisClock } from '@hooligram/bus';
import { createMetrics } from '@hooligram/service';
import { freshPrefix, ownRedis, redisUrl, silentLog, until } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import { createBacklogMetrics, startBacklogWatch } from './backlog.ts';
import type { Shard } from './shards/shard.ts';

test('of several Redis, one that does not answer does not keep the numbers of the others', async () => {
  const frozen = await ownRedis();
  const urls = [await redisUrl(), frozen.url];
  const clients = await Promise.all(
    urls.map((url) => connectRedis(url, { role: 'command', name: 'test', log: silentLog })),
  );
  const names = createNames(freshPrefix());
  await clients[0]?.xadd(names.requests, '*', 'a', '1');
  await clients[1]?.call('CLIENT', 'PAUSE', '600000', 'ALL');
  const clock: RedisClock = { now: Date.now, read: async () => Date.now(), close() {} };
  const all = clients.map(
    (command, index) => ({ index, clock, names, redis: { command } }) as unknown as Shard,
  );
  const metrics = createMetrics({ role: 'core' });
  const watch = startBacklogWatch(
    { shards: { isOne: false, states: [], all: () => all } },
    createBacklogMetrics(metrics),
  );
  try {
    const text = await until(
      'the entry is told',
      () => metrics.text(),
      (told) => /core_stream_entries\{role="core"\} 1$/m.test(told),
    );
    expect(text).toMatch(/core_delivery_checks_waiting\{role="core"\} 0$/m);
  } finally {
    watch.close();
    for (const client of clients) client.disconnect();
    await frozen.stop();
  }
});
