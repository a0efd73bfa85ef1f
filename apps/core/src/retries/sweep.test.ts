import { connectRedis, createNames } from '@hooligram/bus';
import type { Addition } from '@hooligram/bus/queues';
import { openDb, readSweepPlace } from '@hooligram/db';
import { createMetrics } from '@hooligram/service';
import { freshDatabase, freshPrefix, redisUrl, silentLog } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import type { JobContext } from './job-context.ts';
import { createJobMetrics } from './metrics.ts';
import { sweepJob } from './sweep.ts';

test('a walk that is catching up reaches the last group, however often another one from the start is asked for', async () => {
  const db = openDb({ url: await freshDatabase(), applicationName: 'test' });
  const redis = await connectRedis(await redisUrl(), { role: 'command', name: 'test', log: silentLog });
  const names = createNames(freshPrefix());
  const added: string[] = [];
  const queues = {
    add: async (_: string, additions: readonly Addition[]) => added.push(...additions.map(({ key }) => key)),
  };
  const context = {
    ...{
      db,
      redis,
      names,
      keys: names,
      queues,
      firstQueues: () => queues,
      log: silentLog,
      shard: 0,
      clock: { now: Date.now },
    },
    shards: {
      isOne: true,
      states: [],
      isFirst: () => true,
      first: () => ({ redis: { command: redis }, names }),
    },
    config: { SWEEP_GROUPS_PER_RUN: 1, DELIVERY_ACK_DEADLINE_MS: 1_000 },
    jobMetrics: createJobMetrics(createMetrics({ role: 'core' })),
  } as unknown as JobContext;
  const group = () => db.prisma.group.create({ data: { name: 'group', isDirectMessage: false } });
  const ids = [await group(), await group(), await group()].map(({ id }) => Number(id));
  const place = async () => (await readSweepPlace(db))?.after_group_id;
  const begin = () => sweepJob.handle(context, { from_start: true }, 0);
  try {
    expect(await begin()).toEqual({ outcome: 'done' });
    expect(await place()).toBe(ids[0]);
    const again = { outcome: 'again', afterMs: 2_000, data: { from_start: true } };
    for (const reached of [ids[1], ids[2], 0]) {
      expect(await begin()).toEqual(again);
      expect(await place()).toBe(reached);
    }
    expect(await begin()).toEqual({ outcome: 'done' });
    expect(await place()).toBe(ids[0]);
    expect(new Set(added)).toEqual(new Set(['recovery', 'catch-up']));
  } finally {
    redis.disconnect();
    await db.close();
  }
});
