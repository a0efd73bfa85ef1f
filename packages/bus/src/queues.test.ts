import { freshPrefix, redisUrl } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { connectRedis } from './connection.ts';
import { countDeadJobs } from './dead-jobs.ts';
import { createNames } from './names.ts';
import { type JobType, openQueues, startWorkers } from './queues.ts';

const silent = { info() {}, warn() {}, error() {} };
const quiet = { failed() {}, works() {} };
const schema = z.object({ n: z.int() });
type Data = z.infer<typeof schema>;

let redis: Redis;
beforeAll(async () => {
  redis = await connectRedis(await redisUrl(), { role: 'command', name: 'test', log: silent });
});
afterAll(() => redis.disconnect());

function open() {
  const prefix = createNames(freshPrefix()).queues;
  return { prefix, queues: openQueues({ redis, prefix, names: ['count'], now: Date.now, log: silent }) };
}

/** Runs the jobs of a queue; resolves `until` after so many ends of a run. */
async function work(prefix: string, handle: JobType<null, Data>['handle']) {
  const ends: string[] = [];
  let onEnd = () => {};
  const type: JobType<null, Data> = {
    name: 'count',
    schema,
    concurrency: 4,
    handle,
  };
  const workers = await startWorkers({
    now: Date.now,
    redis,
    prefix,
    types: [type as unknown as JobType<null, never>],
    context: null,
    onRun(_, end) {
      ends.push(end);
      onEnd();
    },
    part: quiet,
    log: silent,
  });
  const until = async (count: number) => {
    while (ends.length < count) {
      await new Promise<void>((resolve) => {
        onEnd = resolve;
      });
    }
    return ends;
  };
  return { until, close: () => workers.close() };
}

const done = { outcome: 'done' } as const;

/** @returns by the clock of whoever added it, in milliseconds since the epoch */
async function dueOf(prefix: string, id: string | undefined): Promise<number> {
  return Math.floor(Number(await redis.zscore(`${prefix}:count:delayed`, id ?? '')) / 0x1000);
}

test('while a job waits another of its key is not added, and the caller learns which one stands', async () => {
  const { prefix, queues } = open();
  const before = Date.now();
  const [first] = await queues.add('count', [{ data: { n: 1 }, key: 'a', delayMs: 60_000 }]);
  const later = await queues.add('count', [
    { data: { n: 2 }, key: 'a', delayMs: 90_000 },
    { data: { n: 3 }, key: 'b' },
  ]);
  expect(first?.isNew).toBe(true);
  expect(later).toEqual([
    { id: first?.id, isNew: false },
    { id: expect.any(String), isNew: true },
  ]);
  const due = await dueOf(prefix, first?.id);
  expect(due - before).toBeGreaterThanOrEqual(60_000);
  expect(due - Date.now()).toBeLessThanOrEqual(60_000);
});

test('a job added while one of its key runs follows it, with the newest data', async () => {
  const { prefix, queues } = open();
  const seen: number[] = [];
  const workers = await work(prefix, async (_, { n }) => {
    seen.push(n);
    if (n === 1) {
      for (const next of [2, 3]) await queues.add('count', [{ data: { n: next }, key: 'a' }]);
    }
    return done;
  });
  await queues.add('count', [{ data: { n: 1 }, key: 'a' }]);
  await workers.until(2);
  expect(seen).toEqual([1, 3]);
  await workers.close();
});

test('a job runs again with the data that its last run gave it', async () => {
  const { prefix, queues } = open();
  const seen: number[] = [];
  const workers = await work(prefix, async (_, { n }) => {
    seen.push(n);
    return n < 3 ? { outcome: 'again', afterMs: 1, data: { n: n + 1 } } : done;
  });
  await queues.add('count', [{ data: { n: 1 }, key: 'a' }]);
  expect(await workers.until(3)).toEqual(['again', 'again', 'done']);
  expect(seen).toEqual([1, 2, 3]);
  await workers.close();
});

test('what is given up becomes a dead letter that is kept, and that blocks no later job of its key', async () => {
  const { prefix, queues } = open();
  const workers = await work(prefix, async () => ({ outcome: 'dead', reason: 'no use' }));
  const [added] = await queues.add('count', [{ data: { n: 1 }, key: 'a' }]);
  expect(await workers.until(1)).toEqual(['dead']);
  expect(await queues.deadLetters('count')).toEqual([
    { id: added?.id, data: { n: 1 }, reason: 'no use', date: expect.any(Date) },
  ]);
  expect(await queues.add('count', [{ data: { n: 1 }, key: 'a' }])).toEqual([
    { id: expect.any(String), isNew: true },
  ]);
  await workers.until(2);
  expect(await queues.countDeadLetters('count')).toBe(2);
  expect(await countDeadJobs(redis, prefix, ['count', 'other'])).toBe(2);
  await queues.dropDeadLetter('count', added?.id ?? '');
  expect((await queues.deadLetters('count')).map(({ id }) => id)).not.toContain(added?.id);
  await workers.close();
});

test('jobs of unknown names and forms are dropped, and harm no others', async () => {
  const { prefix, queues } = open();
  const seen: number[] = [];
  const workers = await work(prefix, async (_, { n }) => {
    seen.push(n);
    return done;
  });
  const other = new Queue('count', { connection: redis, prefix });
  await other.addBulk([
    { name: 'from the future', data: { n: 1 } },
    { name: 'count', data: { n: 'one' } },
    { name: 'count', data: { n: 2 } },
  ]);
  await workers.until(3);
  expect(seen).toEqual([2]);
  expect(await queues.countDeadLetters('count')).toBe(0);
  await workers.close();
  await other.close();
});

test('workers that are closed wait for the jobs under way', async () => {
  const { prefix, queues } = open();
  let end = () => {};
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const workers = await work(prefix, () => {
    begin();
    return new Promise((finish) => {
      end = () => finish(done);
    });
  });
  await queues.add('count', [{ data: { n: 1 }, key: 'a' }]);
  await begun;
  let isClosed = false;
  const closed = workers.close().then(() => {
    isClosed = true;
  });
  await redis.ping();
  expect(isClosed).toBe(false);
  end();
  await closed;
  expect(await redis.llen(`${prefix}:count:active`)).toBe(0);
});

test('adding fails at once while Redis is away', async () => {
  const lost = await connectRedis(await redisUrl(), { role: 'command', name: 'lost', log: silent });
  const queues = openQueues({
    now: Date.now,
    redis: lost,
    prefix: createNames(freshPrefix()).queues,
    names: ['count'],
    log: silent,
  });
  await queues.add('count', [{ data: { n: 1 }, key: 'a' }]);
  lost.disconnect();
  await expect(queues.add('count', [{ data: { n: 1 }, key: 'b' }])).rejects.toThrow();
});

test('a schedule that is set twice is one schedule, and begins with a run', async () => {
  const { prefix, queues } = open();
  const runs: number[] = [];
  const everySchema = z.object({});
  const workers = await startWorkers({
    now: Date.now,
    redis,
    prefix,
    types: [
      {
        name: 'count',
        schema: everySchema,
        concurrency: 1,
        handle: async () => {
          runs.push(Date.now());
          return done;
        },
      } as unknown as JobType<null, never>,
    ],
    context: null,
    onRun() {},
    part: quiet,
    log: silent,
  });
  const delayed = () => redis.zcard(`${prefix}:count:delayed`);
  for (let times = 0; times < 3; times += 1) await queues.schedule('count', 3_600_000);
  while (runs.length === 0 || (await delayed()) !== 1) await redis.ping();
  await queues.schedule('count', 3_600_000);
  expect([runs.length, await delayed()]).toEqual([1, 1]);
  await workers.close();
});

test('when a job is due does not depend on the clock of the process that adds it', async () => {
  const prefix = createNames(freshPrefix()).queues;
  // Redis's clock, as it is known by a process whose own is an hour ahead: the job must not wait for that hour.
  const start = Date.now() - 3_600_000;
  const queues = openQueues({ redis, prefix, names: ['count'], now: () => start, log: silent });
  const [{ id } = { id: '' }] = await queues.add('count', [{ data: {}, key: 'one', delayMs: 5_000 }]);
  expect(await dueOf(prefix, id)).toBe(start + 5_000);
  await queues.close();
});
