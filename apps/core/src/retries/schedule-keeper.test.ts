import { EventEmitter } from 'node:events';
import { createNames } from '@hooligram/bus';
import type { Addition } from '@hooligram/bus/queues';
import { createMetrics } from '@hooligram/service';
import { silentLog } from '@hooligram/testkit';
import { expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { JobContext } from './job-context.ts';
import { createJobMetrics } from './metrics.ts';
import { ScheduleKeeper } from './schedule-keeper.ts';

const keys = createNames('p');

/** What all cores find in Redis, and which of its servers answers. */
function sharedRedis() {
  const data = new Map<string, string>();
  const added: string[] = [];
  let server = 'first';
  return {
    added,
    promote() {
      server = 'second';
    },
    info: async () => `run_id:${server}\r\n`,
    get: async (key: string) => data.get(key) ?? null,
    async set(key: string, value: string, condition?: 'NX') {
      if (condition !== 'NX' || !data.has(key)) data.set(key, value);
    },
  };
}

/** @returns a core that has looked at Redis once, and looks again when it is back there */
async function core({ added, info, get, set }: ReturnType<typeof sharedRedis>) {
  let kept = () => {};
  const next = () =>
    new Promise<void>((resolve) => {
      kept = resolve;
    });
  const redis = Object.assign(new EventEmitter(), { status: 'ready', info, get, set }) as unknown as Redis;
  const context = {
    ...{ redis, keys, log: silentLog, shard: 0, shards: { states: [] }, schedule: { forget() {} } },
    config: { SWEEP_EVERY_MS: 600_000, DELIVERY_ACK_DEADLINE_MS: 1_000 },
    jobMetrics: createJobMetrics(createMetrics({ role: 'core' })),
    queues: {
      add: async (_: string, additions: readonly Addition[]) =>
        added.push(...additions.map(({ key }) => key)),
      schedule: async () => {},
      countDeadLetters: async () => 0,
    },
    reportDeadLetters() {},
  } as unknown as JobContext;
  const first = next();
  const part = { works: () => kept(), failed: () => {} };
  const keeper = new ScheduleKeeper(context, redis, part);
  await first;
  return {
    async back() {
      const again = next();
      keeper.run();
      await again;
    },
    stop: () => keeper.stop(),
  };
}

test('a core that meets another server of Redis than before has all groups swept, also if another core was there earlier', async () => {
  const redis = sharedRedis();
  const [early, late] = [await core(redis), await core(redis)];
  await late.back();
  expect(redis.added).toEqual([]);
  redis.promote();
  await early.back();
  expect(redis.added).toEqual(['recovery']);
  // Until now it may have scheduled checks on the first server.
  await late.back();
  expect(redis.added).toEqual(['recovery', 'recovery']);
  for (const one of [early, late]) {
    await one.back();
    one.stop();
  }
  expect(redis.added).toHaveLength(2);
});
