import { connectRedis, createNames, type Keys, type RedisClock } from '@hooligram/bus';
import { createMetrics } from '@hooligram/service';
import { freshPrefix, ownRedis, redisUrl, silentLog, until } from '@hooligram/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createBacklogMetrics, startBacklogWatch } from './backlog.ts';
import type { Shard } from './shards/shard.ts';

const clock: RedisClock = { now: Date.now, read: async () => Date.now(), close() {} };

function shardOf(command: Redis, names: Keys, index = 0): Shard {
  return { index, clock, names, redis: { command } } as unknown as Shard;
}

async function connectTo(url: string): Promise<Redis> {
  return connectRedis(url, { role: 'command', name: 'test', log: silentLog });
}

test('of several Redis, one that does not answer does not keep the numbers of the others', async () => {
  const frozen = await ownRedis();
  const urls = [await redisUrl(), frozen.url];
  const clients = await Promise.all(urls.map(connectTo));
  const names = createNames(freshPrefix());
  await clients[0]?.xadd(names.requests, '*', 'a', '1');
  await clients[1]?.call('CLIENT', 'PAUSE', '600000', 'ALL');
  const all = clients.map((command, index) => shardOf(command, names, index));
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

describe('of one Redis', () => {
  let redis: Redis;
  beforeAll(async () => {
    redis = await connectTo(await redisUrl());
  });
  afterAll(() => redis.disconnect());

  /** @returns a number as it is told first, of the names that are prepared */
  async function told(prepare: (names: Keys) => Promise<unknown>): Promise<(name: string) => number> {
    const names = createNames(freshPrefix());
    await prepare(names);
    const metrics = createMetrics({ role: 'core' });
    const all = [shardOf(redis, names)];
    const watch = startBacklogWatch(
      { shards: { isOne: true, states: [], all: () => all } },
      createBacklogMetrics(metrics),
    );
    const valueIn = (text: string, name: string) =>
      Number(new RegExp(`^hooligram_core_${name}\\{role="core"\\} (.+)$`, 'm').exec(text)?.[1]);
    try {
      // It is set behind all others, and is no number where no sweep has ended.
      const text = await until(
        'the numbers are told',
        () => metrics.text(),
        (found) => Number.isNaN(valueIn(found, 'sweep_age_seconds')),
      );
      return (name) => valueIn(text, name);
    } finally {
      watch.close();
    }
  }

  test('what a core has taken and not ended is told apart from what no core has taken', async () => {
    const value = await told(async ({ requests, cores }) => {
      for (const id of ['5000-1', '6000-1', '7000-1']) await redis.xadd(requests, id, 'a', '1');
      await redis.xgroup('CREATE', requests, cores, '0');
      await redis.xreadgroup('GROUP', cores, 'one', 'COUNT', 2, 'STREAMS', requests, '>');
      // Its oldest entry nobody has taken any more.
      await redis.xack(requests, cores, '5000-1');
    });
    expect(['entries', 'lag', 'pending'].map((name) => value(`stream_${name}`))).toEqual([3, 2, 1]);
    const [oldest, pending] = [value('stream_oldest_seconds'), value('stream_oldest_pending_seconds')];
    expect(oldest - pending).toBeCloseTo(1);
    expect(pending).toBeGreaterThan(1_000_000);
  });

  test('without an entry that a core has taken, its age is 0', async () => {
    const value = await told(({ requests }) => redis.xadd(requests, '5000-1', 'a', '1'));
    expect([value('stream_pending'), value('stream_oldest_pending_seconds')]).toEqual([0, 0]);
  });

  test('the user who has been overdue longest is found, whether the job waits for its time, for a worker, or runs', async () => {
    for (const state of ['delayed', 'wait', 'active']) {
      const value = await told(async ({ queues }) => {
        const key = `${queues}:redelivery`;
        const add = async (id: string, in_: string, ageMs: number) => {
          await redis.hset(`${key}:${id}`, 'timestamp', Date.now() - ageMs);
          if (in_ === 'delayed') await redis.zadd(`${key}:delayed`, Date.now() * 0x1000, id);
          else await redis.lpush(`${key}:${in_}`, id);
        };
        for (const other of ['delayed', 'wait', 'active']) await add(`a job in ${other}`, other, 1_000);
        await add('oldest', state, 7_200_000);
        await add('newest', state, 0);
      });
      expect([state, value('users_overdue')]).toEqual([state, 5]);
      expect(value('redelivery_oldest_seconds')).toBeGreaterThanOrEqual(7_200);
      expect(value('redelivery_oldest_seconds')).toBeLessThan(7_300);
    }
    expect((await told(async () => {}))('redelivery_oldest_seconds')).toBe(0);
  });
});
