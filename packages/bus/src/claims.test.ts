import { freshPrefix, redisUrl, until } from '@hooligram/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type Claims, startClaims } from './claims.ts';
import { connectRedis } from './connection.ts';
import { createNames } from './names.ts';

const silent = { info() {}, warn() {}, error() {} };
const quiet = { failed() {}, works() {} };
const group = 'cores';

let redis: Redis;
let stream: string;
const running: Claims<string>[] = [];

beforeAll(async () => {
  redis = await connectRedis(await redisUrl(), { role: 'command', name: 'test', log: silent });
});
beforeEach(async () => {
  stream = createNames(freshPrefix()).requests;
  await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
});
afterEach(async () => {
  for (const claims of running.splice(0)) {
    await claims.stop();
    claims.close();
  }
});
afterAll(() => redis.disconnect());

/** Gives an entry to a consumer. @returns its id */
async function give(consumer: string, requests: unknown, version = '1', deadline = 1): Promise<string> {
  const fields = { v: version, node: 'node', deadline, requests: JSON.stringify(requests) };
  const id = await redis.xadd(stream, '*', ...Object.entries(fields).flat());
  await redis.xreadgroup('GROUP', group, consumer, 'COUNT', 1, 'STREAMS', stream, '>');
  return id as string;
}

type Options = Partial<Parameters<typeof startClaims<string>>[0]>;

/** How long an entry may be left untouched where a busy machine must not be taken for a dead process. */
const patientIdleMs = 1_500;

/** Looks until an entry could have been taken over, had nobody touched it. */
async function expectHeldBy(consumer: string, id: string): Promise<void> {
  const end = Date.now() + 1.5 * patientIdleMs;
  await until('it could have been taken over', async () => {
    expect(await holder(id)).toBe(consumer);
    return Date.now() > end;
  });
}

function claim(consumer: string, options: Options): Claims<string> {
  const claims = startClaims<string>({
    redis,
    stream,
    group,
    consumer,
    idleMs: 100,
    everyMs: 10,
    own: () => [],
    onEntry: async () => {},
    onUnreadable() {},
    part: quiet,
    onRemoved() {},
    now: Date.now,
    ...options,
  });
  running.push(claims);
  return claims;
}

/** Who has an entry. */
async function holder(id: string): Promise<string | undefined> {
  const [pending] = (await redis.xpending(stream, group, id, id, 1)) as [string, string, number, number][];
  return pending?.[1];
}

async function consumers(): Promise<string[]> {
  const listed = (await redis.xinfo('CONSUMERS', stream, group)) as [string, string][];
  return listed.map(([, name]) => name).sort();
}

test('entries of a consumer that is gone are taken over, oldest first and one at a time', async () => {
  const ids = [await give('gone', ['one']), await give('gone', ['two']), await give('gone', ['three'])];
  const taken: [string, number][] = [];
  let atOnce = 0;
  await new Promise<void>((resolve) => {
    claim('heir', {
      async onEntry({ id }, deliveries) {
        atOnce += 1;
        expect(atOnce).toBe(1);
        await redis.ping();
        atOnce -= 1;
        taken.push([id, deliveries]);
        await redis.xack(stream, group, id);
        if (taken.length === ids.length) resolve();
      },
    });
  });
  expect(taken).toEqual(ids.map((id) => [id, 2]));
});

test('an entry that its process works on is taken over by nobody, as long as that process lives', async () => {
  const id = await give('worker', ['long']);
  const worker = claim('worker', { own: () => [id], idleMs: patientIdleMs });
  const taken = new Promise<string>((resolve) => {
    claim('rival', { onEntry: async (entry) => resolve(entry.id), idleMs: patientIdleMs });
  });
  await expectHeldBy('worker', id);
  await worker.stop();
  worker.close();
  expect(await taken).toBe(id);
});

test('an entry that was taken over is touched while it is worked on', async () => {
  const id = await give('gone', ['long']);
  let release = () => {};
  const begun = new Promise<void>((resolve) => {
    claim('heir', {
      onEntry: () => {
        resolve();
        return new Promise<void>((done) => {
          release = done;
        });
      },
      idleMs: patientIdleMs,
    });
  });
  await begun;
  claim('rival', { idleMs: patientIdleMs });
  await expectHeldBy('heir', id);
  release();
});

test('an entry whose handling failed is taken over again', async () => {
  const id = await give('gone', ['unlucky']);
  const attempts: number[] = [];
  await new Promise<void>((resolve) => {
    claim('heir', {
      async onEntry(_, deliveries) {
        attempts.push(deliveries);
        if (attempts.length < 3) throw new Error('not now');
        await redis.xack(stream, group, id);
        resolve();
      },
    });
  });
  expect(attempts).toEqual([2, 3, 4]);
});

test('an entry that cannot be read is reported, and does not keep the next one from being handled', async () => {
  const bad = await give('gone', 'no list');
  const good = await give('gone', ['good']);
  const unreadable: [string, string][] = [];
  const handled = await new Promise<string>((resolve) => {
    claim('heir', {
      onUnreadable: (id, { is }) => void unreadable.push([id, is]),
      onEntry: async ({ id }) => resolve(id),
    });
  });
  expect(handled).toBe(good);
  expect(unreadable[0]).toEqual([bad, 'rubbish']);
});

test('an entry of another layout is left at once to a process that knows it, and looked at one time by each that does not', async () => {
  const foreign = await give('gone', ['of another release'], '99', Date.now() + 600_000);
  const looks: string[] = [];
  const leaver = (consumer: string): Claims<string> => {
    const claims: Claims<string> = claim(consumer, {
      onUnreadable(id, { is, deadline }) {
        expect([id, is]).toEqual([foreign, 'foreign']);
        looks.push(consumer);
        claims.leave(id, deadline);
      },
    });
    return claims;
  };
  leaver('old');
  leaver('older');
  // Others are handled all the while, so this many rounds have passed.
  for (let round = 0; round < 5; round += 1) {
    const other = await give('gone', ['known']);
    const taker = claim(`taker ${round}`, {
      onUnreadable: (id, { deadline }) => taker.leave(id, deadline),
      onEntry: async ({ id }) => void (await redis.xack(stream, group, id)),
    });
    await until('it is handled', async () => (await holder(other)) === undefined);
  }
  expect(looks.sort()).toEqual(['old', 'older']);
  // Idle for as long as anybody may ask for: the newer process gets it with its first look.
  const [taken] = (await redis.xclaim(stream, group, 'newer', 60_000, foreign)) as [string, string[]][];
  expect(taken?.[0]).toBe(foreign);
});

test('an entry of another layout that nobody has taken long after its deadline is removed', async () => {
  const foreign = await give('gone', ['of another release'], '99', Date.now());
  let now = Date.now();
  const removed: string[] = [];
  const claims: Claims<string> = claim('old', {
    now: () => now,
    onUnreadable(id, { deadline }) {
      claims.leave(id, deadline);
      now += 600_000;
    },
    onRemoved: (id) => void removed.push(id),
  });
  await until('it is removed', async () => (await redis.xlen(stream)) === 0);
  await until('nobody holds it', async () => (await holder(foreign)) === undefined);
  await until('the removal is reported', async () => (await redis.ping()) === 'PONG' && removed.length > 0);
  expect(removed).toEqual([foreign]);
});

test('a consumer is forgotten when it was silent for long and has no entry, and not before', async () => {
  await give('holds one', ['pending']);
  const done = await give('has none', ['done']);
  await redis.xack(stream, group, done);
  await until('both are silent', async () => {
    const listed = (await redis.xinfo('CONSUMERS', stream, group)) as (string | number)[][];
    return listed.every((flat) => Number(flat[flat.indexOf('idle') + 1]) > 1_000);
  });
  const speak = async () => redis.xack(stream, group, await give('alive', ['just now']));
  await speak();
  claim('observer', { idleMs: 600_000, consumerGoneMs: 1_000 });
  await until('one is forgotten, and only that one', async () => {
    await speak();
    return (await consumers()).join() === 'alive,holds one';
  });
});
