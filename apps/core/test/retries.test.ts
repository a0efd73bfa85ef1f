import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Db, openDb, replayGroups } from '@hooligram/db';
import { type Metrics, metrics, patienceMs, startSystem, type TestSystem, until } from '@hooligram/testkit';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { group, send, type User } from './group.ts';

const closers: (() => unknown)[] = [];
const shared = new Map<string, Promise<TestSystem>>();

afterEach(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

afterAll(async () => {
  await Promise.all([...shared.values()].map(async (system) => (await system).stop()));
});

/** Short deadlines; nothing happens by itself unless a test asks for it. */
const quick = {
  DELIVERY_ACK_DEADLINE_MS: '200',
  // Every redelivery request is acknowledged, unless the test does otherwise: an unanswered attempt would be repeated.
  DELIVERY_CONFIRM_TIMEOUT_MS: String(patienceMs),
  DELIVERY_RETRY_MS: '50',
  DELIVERY_RETRY_GROWTH: '1',
  DELIVERY_ATTEMPTS_MAX: '3',
  SWEEP_EVERY_MS: '600000',
  CLAIM_IDLE_MS: '300',
  CLAIM_EVERY_MS: '100',
};

/** Nothing is due for ten minutes, and nothing is tried twice within them. */
const slow = {
  DELIVERY_ACK_DEADLINE_MS: '600000',
  DELIVERY_RETRY_MS: '600000',
  DELIVERY_RETRY_MAX_MS: '600000',
};

type Count = (name: string, labels?: Record<string, string>) => Promise<number>;

/** A system of the test's own, which it may harm. */
async function start(env: Record<string, string> = {}, cores = 1) {
  const system = await startSystem({ gateways: 0, cores, coreEnv: { ...quick, ...env } });
  closers.push(() => system.stop());
  return enter(system);
}

/** A system for all tests with the same settings, when the jobs of the earlier tests have ended. */
async function join(env: Record<string, string> = {}) {
  const key = JSON.stringify(env);
  const started = shared.get(key) ?? startSystem({ gateways: 0, coreEnv: { ...quick, ...env } });
  shared.set(key, started);
  const fixture = await enter(await started);
  if (env === slow) return fixture;
  await until('the jobs of earlier tests have ended', () =>
    areEnded(fixture.gateway, 'delivery-check', 'redelivery'),
  );
  return { ...fixture, count: await countFromNow(fixture.system) };
}

async function enter(system: TestSystem) {
  const gateway = await FakeGateway.connect(system);
  closers.push(() => gateway.close());
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  closers.push(() => db.close());
  return { system, gateway, db, count: await countFromNow(system) };
}

async function areEnded({ redis, names }: FakeGateway, ...queues: string[]): Promise<boolean> {
  const keys = queues.flatMap((queue) =>
    ['active', 'wait', 'delayed'].map((state) => `${names.queues}:${queue}:${state}`),
  );
  return (await redis.exists(...keys)) === 0;
}

function acknowledge(
  gateway: FakeGateway,
  group_id: number,
  people: readonly User[],
  { seq = 0, version = 1 }: { seq?: number; version?: number },
) {
  const cursors = people.map(({ user_id }) => ({
    user_id,
    group_id,
    delivered_seq: seq,
    delivered_version: version,
  }));
  return gateway.request('CURSOR_RAISE', { cursors });
}

function report(gateway: FakeGateway, ...people: readonly User[]) {
  return gateway.request('OVERDUE_REPORT', { user_ids: people.map(({ user_id }) => user_id) });
}

/** Everything in the group was stored long ago. */
async function makeOld(db: Db, group_id: number): Promise<void> {
  const sql = `UPDATE message SET date_created = date_created - INTERVAL '1 day' WHERE group_id = $1`;
  await db.pool.query(sql, [group_id]);
}

async function membership(db: Db, { user_id }: User, group_id: number) {
  const [[found] = []] = await replayGroups(db, [{ user_id, group_ids: [group_id] }]);
  return found;
}

/** Counts what happens from now on, in all cores that are running. */
async function countFromNow(system: TestSystem): Promise<Count> {
  const read = () =>
    Promise.all(
      system.cores
        .filter(({ process }) => process.isRunning())
        .map(async ({ adminUrl }) => [adminUrl, await metrics(adminUrl)] as const),
    );
  const before = new Map(await read());
  return async (name, labels = {}) => {
    const value = (found: Metrics | undefined) => found?.value(`hooligram_core_${name}`, labels) ?? 0;
    return (await read()).reduce((sum, [url, found]) => sum + value(found) - value(before.get(url)), 0);
  };
}

/** @param times or more */
function ended(count: Count, queue: string, end: string, times = 1) {
  return until(
    `${times} of ${queue} ended with ${end}`,
    () => count('job_runs_total', { queue, outcome: end }),
    (ends) => ends >= times,
  );
}

function checked(gateway: FakeGateway, group_id: number, seq: number, version = 1) {
  return gateway.until(() =>
    gateway
      .of('delivery-check')
      .map(({ check }) => check)
      .find((check) => check.group_id === group_id && check.due_seq >= seq && check.due_version >= version),
  );
}

test('10,000 acknowledged deliveries in one group cost fewer than 20 jobs', async () => {
  const { gateway, db, count } = await start({ DELIVERY_ACK_DEADLINE_MS: '3000' }, 2);
  const { group_id, people, one } = await group(gateway, db, 10);
  let seq = 0;
  // In few turns: how many jobs there are grows with the time that a busy machine takes.
  for (let turn = 0; turn < 10; turn += 1) {
    await Promise.all(Array.from({ length: 100 }, () => send(gateway, group_id, one)));
    seq += 100;
    await acknowledge(gateway, group_id, people, { seq });
  }
  expect(await checked(gateway, group_id, 1_000)).toMatchObject({ last_seq: 1_000, due_seq: 1_000 });
  const added = await count('jobs_added_total');
  const runs = await count('job_runs_total');
  process.stderr.write(`10,000 deliveries: ${added} jobs added, ${runs} runs of jobs\n`);
  expect(added).toBeLessThan(20);
  expect(runs).toBeLessThan(20);
  expect(await count('jobs_added_total', { queue: 'redelivery' })).toBe(0);
});

test('an entry stays pending until its delivery check is scheduled, so no death of a core leaves a message unchecked', async () => {
  const { gateway, db } = await join();
  const { group_id, people, one } = await group(gateway, db);
  await checked(gateway, group_id, 0);
  await acknowledge(gateway, group_id, people, {});
  const { redis, names } = gateway;
  const pending = async () => Number(((await redis.xpending(names.requests, names.cores)) as [number])[0]);
  await until('nothing is pending', pending, (entries) => entries === 0);
  // The queue of delivery checks cannot be written.
  const broken = `${names.queues}:delivery-check:id`;
  const before = await redis.getset(broken, 'not a number');

  await send(gateway, group_id, one);
  expect(await pending()).toBe(1);
  await redis.set(broken, before ?? '0');
  await checked(gateway, group_id, 1);
  await until('nothing is pending', pending, (entries) => entries === 0);
});

test('a message that comes while the delivery check of its group runs, or is too young for it, gets the next one', async () => {
  const { gateway, db } = await join();
  const { group_id, one } = await group(gateway, db);
  // Without a pause: some come while a check runs, all but the first find one scheduled.
  let seq = 0;
  while (gateway.of('delivery-check').length < 4) {
    await send(gateway, group_id, one);
    seq += 1;
  }
  const { check } = gateway.of('delivery-check').at(-1) as { check: { last_seq: number } };
  expect(check.last_seq).toBeLessThanOrEqual(seq);
  expect(await checked(gateway, group_id, seq)).toMatchObject({ last_seq: seq, due_seq: seq });
});

test('the delivery checks of a quiet group end', async () => {
  const { gateway, db, count } = await join();
  const { group_id, one } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  await ended(count, 'delivery-check', 'done', 1);
  await until('no check is scheduled', () => areEnded(gateway, 'delivery-check'));
});

test('a redelivery request for a reported user is sent at once, however quiet the group', async () => {
  const { gateway, db, count } = await join(slow);
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  // As what is replayed on sign-in.
  await makeOld(db, group_id);
  await report(gateway, two);
  const { request } = await gateway.until(() => gateway.of('redelivery-request')[0]);
  expect(request.user_id).toBe(two.user_id);
  // No delivery check had to find them; the sweep may be on its first walk.
  expect(await count('delivery_checks_total', { by: 'job' })).toBe(0);
});

test('a user who has acknowledged everything by now gets no job', async () => {
  const { gateway, db, count } = await join();
  const { group_id, people, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  await acknowledge(gateway, group_id, people, { seq: 1 });
  await report(gateway, one, two);
  expect(await count('jobs_added_total', { queue: 'redelivery' })).toBe(0);
});

test('the sweep is scheduled again after Redis was emptied, and finds messages without a delivery check', async () => {
  const { gateway, db } = await start({ SWEEP_EVERY_MS: '500' });
  const { group_id, one } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  const epochOf = async () => (await db.prisma.sweep.findUnique({ where: { name: 'groups' } }))?.epoch;
  const lost = await until('a sweep has run', epochOf);
  // As FLUSHALL, for this system alone.
  const keys = await gateway.redis.keys(`${gateway.names.queues}*`);
  await gateway.redis.del(...keys);
  await until('another sweep has run', epochOf, (epoch) => epoch !== lost);
  const before = gateway.received.length;
  await gateway.until(() => gateway.of('delivery-check', before)[0]);
  expect(await gateway.redis.get(gateway.names.epoch)).toBe(await epochOf());
});

test('the sweep goes on where another core stopped, and in the end has checked every group with overdue members', async () => {
  const { system, gateway, db } = await start({ SWEEP_EVERY_MS: '100', SWEEP_GROUPS_PER_RUN: '2' });
  const groups = await Promise.all(Array.from({ length: 5 }, () => group(gateway, db)));
  await Promise.all(groups.map(({ group_id }) => checked(gateway, group_id, 0)));
  await system.addCore();
  await system.core(0).kill();
  const before = gateway.received.length;
  const all = groups.map(({ group_id }) => group_id).sort((a, b) => a - b);
  await gateway.until(() => {
    const told = new Set(gateway.of('delivery-check', before).map(({ check }) => check.group_id));
    return told.size === all.length;
  });
});

test('an attempt for a user without a connection ends, and the next report begins again', async () => {
  const { gateway, db, count } = await join();
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  gateway.unsubscribe(gateway.names.user(two.user_id));
  await until('nobody hears', async () => {
    const [, heard] = (await gateway.redis.pubsub('NUMSUB', gateway.names.user(two.user_id))) as [
      string,
      number,
    ];
    return heard === 0;
  });
  await report(gateway, two);
  await ended(count, 'redelivery', 'done');
  expect(await count('redelivery_requests_total', { outcome: 'nobody' })).toBe(1);
  await gateway.subscribe(gateway.names.user(two.user_id));
  await report(gateway, two);
  await gateway.until(() => gateway.of('redelivery-request')[0]);
});

test('attempts without a reply of a gateway do not count, however many', async () => {
  const { gateway, db } = await start({ DELIVERY_CONFIRM_TIMEOUT_MS: '50', DELIVERY_ATTEMPTS_MAX: '1' });
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  gateway.onRedeliveryRequest = () => {};
  await report(gateway, two);
  await gateway.until(() => gateway.of('redelivery-request').length >= 6);
  expect(gateway.of('eviction')).toEqual([]);
});

test('cursors that a redelivery request has flushed end the redelivery', async () => {
  const { gateway, db, count } = await join();
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  gateway.onRedeliveryRequest = async (request) => {
    await acknowledge(gateway, group_id, [two], { seq: 1 });
    await gateway.acknowledge(request);
  };
  await report(gateway, two);
  await ended(count, 'redelivery', 'done');
  expect(gateway.of('redelivery-request')).toHaveLength(1);
});

test('a client that makes progress is not evicted, however long it takes', async () => {
  const { gateway, db, count } = await join();
  const { group_id, one, two } = await group(gateway, db);
  await Promise.all(Array.from({ length: 8 }, () => send(gateway, group_id, one)));
  await checked(gateway, group_id, 8);
  let requests = 0;
  // Two attempts for each message.
  gateway.onRedeliveryRequest = async (request) => {
    requests += 1;
    await acknowledge(gateway, group_id, [two], { seq: Math.floor(requests / 2) });
    await gateway.acknowledge(request);
  };
  await report(gateway, two);
  await ended(count, 'redelivery', 'done');
  expect(requests).toBe(16);
  expect(gateway.of('eviction')).toEqual([]);
  expect((await membership(db, two, group_id))?.delivered_seq).toBe(8);
});

test('a user has one redelivery at a time, however often they are reported', async () => {
  const { gateway, db, count } = await join(slow);
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await makeOld(db, group_id);
  await report(gateway, two);
  await ended(count, 'redelivery', 'again');
  for (let times = 0; times < 5; times += 1) await report(gateway, two);
  expect(gateway.of('redelivery-request')).toHaveLength(1);
  expect(await count('jobs_added_total', { queue: 'redelivery' })).toBe(1);
});

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../operator/dist/main.js', import.meta.url));

async function deadLetters(system: TestSystem, ...args: string[]): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: '', REDIS_URL: system.redisUrl, REDIS_PREFIX: system.prefix };
  return (await run(process.execPath, [program, 'dead-letters', ...args], { env })).stdout;
}

test('a client that acknowledges nothing is evicted, and its dead letter is kept, counted and can be replayed', async () => {
  const { system, gateway, db, count } = await join();
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  await report(gateway, two);
  await gateway.until(() => gateway.of('eviction').find(({ eviction }) => eviction.user_id === two.user_id));
  expect(gateway.of('redelivery-request')).toHaveLength(4);
  await ended(count, 'redelivery', 'dead');
  expect(await count('evictions_total')).toBe(1);
  expect(await count('jobs_dead_total', { queue: 'redelivery' })).toBe(1);

  const listed = await deadLetters(system, 'list');
  const [id = ''] = listed.split(' ');
  expect(listed).toContain(`"user_id":${two.user_id}`);
  expect(listed).toContain(`nothing acknowledged in groups ${group_id}`);

  // A kept dead letter blocks nothing.
  await report(gateway, two);
  await gateway.until(() => gateway.of('eviction').length === 2);
  await ended(count, 'redelivery', 'dead', 2);

  // From the beginning: not one attempt, but all of them.
  const before = gateway.received.length;
  expect(await deadLetters(system, 'replay', id)).toBe(`${id} runs again\n`);
  await gateway.until(() => gateway.of('eviction').length === 3);
  expect(gateway.of('redelivery-request', before)).toHaveLength(4);
  await ended(count, 'redelivery', 'dead', 3);
  expect((await deadLetters(system, 'list')).trim().split('\n')).toHaveLength(2);
  await deadLetters(system, 'drop', '--all');
  expect(await deadLetters(system, 'list')).toBe('');
});

test('states that are never acknowledged end quietly: no eviction, and no later report begins again', async () => {
  const { gateway, db, count } = await join();
  const { group_id, people, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await acknowledge(gateway, group_id, people, { seq: 1, version: 0 });
  await checked(gateway, group_id, 1);
  await report(gateway, two);
  await ended(count, 'redelivery', 'done');
  expect(await membership(db, two, group_id)).toMatchObject({ delivered_version: 0, retried_version: 1 });
  expect(gateway.of('eviction')).toEqual([]);
  // The attempts, and the one after which the gateways know that there are no more.
  expect(gateway.of('redelivery-request')).toHaveLength(5);

  await report(gateway, two);
  expect(await count('jobs_added_total', { queue: 'redelivery' })).toBe(1);
  expect(gateway.of('redelivery-request')).toHaveLength(5);
});

test('a client that acknowledges all messages and no groups is sent a state a bounded number of times', async () => {
  const { gateway, db, count } = await join();
  const { group_id, one, two } = await group(gateway, db);
  await Promise.all(Array.from({ length: 50 }, () => send(gateway, group_id, one)));
  await checked(gateway, group_id, 50);
  let seq = 0;
  gateway.onRedeliveryRequest = async (request) => {
    seq += 1;
    await acknowledge(gateway, group_id, [two], { seq, version: 0 });
    await gateway.acknowledge(request);
  };
  await report(gateway, two);
  await until(
    'the state is given up',
    () => membership(db, two, group_id),
    (found) => found?.retried_version === 1,
  );
  expect(seq).toBeLessThan(10);
  await until('it is counted', async () => (await count('states_given_up_total')) === 1);
  expect(gateway.of('eviction')).toEqual([]);
});

test('a job of a core that is killed goes to another core, also the sixth time', async () => {
  const { system, gateway, db, count } = await start();
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  gateway.onRedeliveryRequest = () => {};
  await report(gateway, two);
  await gateway.until(() => gateway.of('redelivery-request')[0]);
  const { redis, names } = gateway;
  const [active = ''] = await redis.lrange(`${names.queues}:redelivery:active`, 0, -1);
  await redis.hset(`${names.queues}:redelivery:${active}`, 'stc', '5');
  await system.core(0).kill();
  // As ten seconds later: no core holds it, and another one may look for such jobs.
  await redis.del(`${names.queues}:redelivery:${active}:lock`);
  await redis.del(`${names.queues}:redelivery:stalled-check`);
  gateway.onRedeliveryRequest = async (request) => {
    await acknowledge(gateway, group_id, [two], { seq: 1 });
    await gateway.acknowledge(request);
  };
  await system.addCore();
  await ended(count, 'redelivery', 'done');
  // The new core looks for overdue users by itself, too, and may have done so before this one had acknowledged.
  expect(gateway.of('redelivery-request').length).toBeGreaterThanOrEqual(2);
});

test('a core that is told to stop finishes the jobs that it has', async () => {
  const { system, gateway, db } = await start();
  const { group_id, one, two } = await group(gateway, db);
  await send(gateway, group_id, one);
  await checked(gateway, group_id, 1);
  const requested = new Promise<() => Promise<void>>((resolve) => {
    gateway.onRedeliveryRequest = (request) => resolve(() => gateway.acknowledge(request));
  });
  await report(gateway, two);
  const acknowledge = await requested;
  const stopped = system.core(0).stop();
  await until('it is not ready', async () => !(await system.core(0).isReady()));
  await acknowledge();
  await stopped;
  expect(await system.core(0).process.exited).toBe('exit code 0');
  const { redis, names } = gateway;
  expect(await redis.llen(`${names.queues}:redelivery:active`)).toBe(0);
  expect(await redis.zcard(`${names.queues}:redelivery:delayed`)).toBe(1);
});

test('the first read of a sign-in is one statement and names all groups of its user, any other read only what it asks for', async () => {
  const { gateway, db, count } = await join();
  const statements = (statement: string) => count('database_statement_seconds_count', { statement });
  const { group_id, one } = await group(gateway, db);
  const other = await group(gateway, db, 3);
  await gateway.request('GROUP_ADD_MEMBER', {
    ...{ user_id: other.one.user_id, repeatable: true },
    ...{ group_id: other.group_id, member_sid: one.sid },
  });
  const params = { user_id: one.user_id, group_ids: [group_id] };
  const { memberships, ...others } = await gateway.request('REPLAY_GROUPS', { ...params, is_sign_in: true });
  expect(memberships.map((membership) => membership.group_id)).toEqual([group_id]);
  expect(others).toEqual({ all_group_ids: [group_id, other.group_id], credential_version: 0 });
  const names = ['groups_at_sign_in', 'replay_groups', 'group_ids', 'read_credential_versions'];
  expect(await Promise.all(names.map(statements))).toEqual([1, 0, 0, 0]);
  expect(await gateway.request('REPLAY_GROUPS', params)).toEqual({ memberships });
  expect(await Promise.all(names.map(statements))).toEqual([1, 1, 0, 0]);
});

test('the groups of several users come in the order of the request', async () => {
  const { gateway, db } = await join();
  const first = await group(gateway, db);
  const second = await group(gateway, db);
  const user_ids = [second.one.user_id, 2 ** 50, first.two.user_id, second.one.user_id];
  expect(await gateway.request('GROUP_IDS', { user_ids })).toEqual({
    group_ids: [[second.group_id], [], [first.group_id], [second.group_id]],
    // No credential was made since there are tokens.
    credential_versions: [0, 0, 0, 0],
  });
});
