import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis, createNames, Placement } from '@hooligram/bus';
import { openQueues } from '@hooligram/bus/queues';
import { type Db, openDb, readSweepPlace } from '@hooligram/db';
import { type Store, startRedis } from '@hooligram/local';
import { freePorts, silentLog, startSystem, type TestSystem, uniqueSid, until } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { FakeGateway } from './fake-gateway.ts';
import { send, type User } from './group.ts';

const placement = new Placement(2);
const dirs = ['first', 'second'].map(() => mkdtempSync(join(tmpdir(), 'hooligram-several-')));
let ports: number[];
let system: TestSystem;
let db: Db;
let stores: Store[];
/** A gateway has a node name on each Redis; here it is another one on each. */
let gateways: FakeGateway[];
/** What was published for all gateways of the second Redis. */
const calls: string[] = [];
let listener: Redis;
let wasReadyAlone: boolean;

const start = (index: number) =>
  startRedis({
    dataDir: dirs[index] as string,
    logDir: dirs[index] as string,
    port: ports[index] as number,
    restart: false,
  });
const urlOf = (index: number) => `redis://127.0.0.1:${ports[index]}`;
const gatewayOf = (id: number) => gateways[placement.of(id)] as FakeGateway;

beforeAll(async () => {
  ports = await freePorts(2);
  stores = [await start(0)];
  // The second one is not there yet.
  system = await startSystem({
    gateways: 0,
    env: { REDIS_URL: `${urlOf(0)},${urlOf(1)}` },
    coreEnv: { DELIVERY_ACK_DEADLINE_MS: '300', SWEEP_EVERY_MS: '600000', SWEEP_GROUPS_PER_RUN: '2' },
  });
  wasReadyAlone = await system.core(0).isReady();
  stores.push(await start(1));
  db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  gateways = await Promise.all(
    [0, 1].map((index) =>
      FakeGateway.connect({ redisUrl: urlOf(index), prefix: system.prefix }, { mayBreak: true }),
    ),
  );
  listener = await connectRedis(urlOf(1), { role: 'subscriber', name: 'test', log: silentLog });
  listener.on('messageBuffer', (_: Buffer, bytes: Buffer) => void calls.push(bytes.toString()));
  await listener.subscribe(createNames(system.prefix).gateways);
});

afterAll(async () => {
  listener?.disconnect();
  for (const gateway of gateways ?? []) gateway.close();
  await db?.close();
  await system?.stop();
  for (const store of stores ?? []) await store.stop();
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

/** A user on each of the two Redis, and a group of theirs on each. The gateways are subscribed to all of them. */
async function people() {
  const users: User[] = [];
  while (new Set(users.map(({ user_id }) => placement.of(user_id))).size < 2) {
    const sid = uniqueSid();
    users.push({ user_id: Number((await db.prisma.user.create({ data: { sid } })).id), sid });
  }
  const [one, two] = [0, 1].map((shard) => users.find(({ user_id }) => placement.of(user_id) === shard));
  if (!one || !two) throw new Error('no users');
  const groups: (number | undefined)[] = [];
  while (groups[0] === undefined || groups[1] === undefined) {
    const group_id = await makeGroup(one, two);
    groups[placement.of(group_id)] = group_id;
  }
  return { one, two, first: groups[0], second: groups[1] };
}

async function makeGroup(one: User, two: User): Promise<number> {
  const third = uniqueSid();
  await db.prisma.user.create({ data: { sid: third } });
  const { group_id } = await gatewayOf(one.user_id).request('GROUP_CREATE', {
    ...one,
    repeatable: true,
    group_name: 'group',
    member_sids: [one.sid, two.sid, third],
  });
  const gateway = gatewayOf(group_id);
  await gateway.subscribe(gateway.names.group(group_id));
  return group_id;
}

function contentsOf(group_id: number): string[] {
  const ofGroup = gatewayOf(group_id)
    .of('messages')
    .filter(({ messages }) => messages.group_id === group_id);
  return ofGroup
    .flatMap(({ messages }) => messages.frames)
    .map((frame) => /"content":"([^"]*)"/.exec(Buffer.from(frame).toString())?.[1] ?? '');
}

/** Until no request waits or is in progress on that Redis. */
async function untilAcknowledged({ redis, names }: FakeGateway): Promise<void> {
  await until('all entries are acknowledged', async () => (await redis.xlen(names.requests)) === 0);
}

test('a core starts while one of two Redis is away, and takes the requests of that one when it is there', async () => {
  expect(wasReadyAlone).toBe(true);
  const { one, two, first, second } = await people();
  // The second user first: once that Redis carries answers, the core publishes on it, too.
  for (const user of [two, one]) {
    await send(gatewayOf(user.user_id), first, user, `of ${user.sid}`);
    await send(gatewayOf(user.user_id), second, user, `of ${user.sid}`);
  }
  for (const group_id of [first, second]) {
    await gatewayOf(group_id).until(() => contentsOf(group_id).length === 2, 'both messages');
    // Each on the Redis of its group alone.
    const other = gateways[1 - placement.of(group_id)] as FakeGateway;
    expect(other.received.some(({ channel }) => channel === other.names.group(group_id))).toBe(false);
  }
  for (const gateway of gateways) await untilAcknowledged(gateway);
});

test('while one Redis is frozen, whoever lives on the other one is served; then its gateways are asked to look, and all groups are swept', async () => {
  const { one, first, second } = await people();
  const gateway = gatewayOf(one.user_id);
  const callsBefore = calls.length;
  process.kill(stores[1]?.pid as number, 'SIGSTOP');
  try {
    for (const content of ['a', 'b', 'c']) {
      await send(gateway, first, one, content);
      await send(gateway, second, one, content);
      // Nothing of the other Redis keeps it in the stream.
      await untilAcknowledged(gateway);
    }
    await gateway.until(() => contentsOf(first).length === 3, 'all of the first group');
    expect(await system.core(0).isReady()).toBe(true);
  } finally {
    process.kill(stores[1]?.pid as number, 'SIGCONT');
  }
  await until('gateways are asked', () => calls.slice(callsBefore).includes('missed'));
  await gatewayOf(second).until(
    () =>
      gatewayOf(second)
        .of('delivery-check')
        .find(({ check }) => check.group_id === second && check.due_seq === 3),
    'what was missed is found',
  );
});

test('while one Redis is dead, whoever lives on the other one is served; and it is used again when it is back', async () => {
  const { one, two, first, second } = await people();
  const gateway = gatewayOf(one.user_id);
  process.kill(stores[1]?.pid as number, 'SIGKILL');
  await stores[1]?.stop();
  for (const content of ['a', 'b']) {
    await send(gateway, first, one, content);
    await send(gateway, second, one, content);
    await untilAcknowledged(gateway);
  }
  await gateway.until(() => contentsOf(first).length === 2, 'all of the first group');
  expect(await system.core(0).isReady()).toBe(true);

  stores[1] = await start(1);
  const { redis, names } = gatewayOf(two.user_id);
  await until(
    'the gateway of the test is back',
    () =>
      redis.status === 'ready' &&
      redis.pubsub('NUMSUB', names.group(second)).then(
        (reply) => reply[1] === 1,
        () => false,
      ),
  );
  await send(gatewayOf(two.user_id), second, two, 'c');
  await gatewayOf(second).until(() => contentsOf(second).includes('c'), 'a message of the one that is back');
  await gatewayOf(second).until(
    () =>
      gatewayOf(second)
        .of('delivery-check')
        .find(({ check }) => check.group_id === second && check.due_seq === 3),
    'its delivery check',
  );
  await gatewayOf(two.user_id).subscribe(names.user(two.user_id));
  await gatewayOf(two.user_id).request('OVERDUE_REPORT', { user_ids: [two.user_id] });
  await gatewayOf(two.user_id).until(
    () => gatewayOf(two.user_id).of('redelivery-request')[0],
    'a redelivery',
  );
});

test('a walk over all groups that is begun by a job of the second Redis reaches the last group', async () => {
  for (const _ of [0, 1, 2]) await people();
  const { redis, names } = gateways[1] as FakeGateway;
  const queues = openQueues({ redis, prefix: names.queues, names: ['sweep'], now: Date.now, log: silentLog });
  try {
    // Another walk may be under way, because of a Redis that was away.
    await until('no walk is under way', async () => (await readSweepPlace(db))?.is_catching_up === false);
    const before = await readSweepPlace(db);
    await queues.add('sweep', [{ data: { from_start: true }, key: 'of the test' }]);
    await until('it ends', async () => {
      const place = await readSweepPlace(db);
      return place && place.revision > (before?.revision ?? 0) && !place.is_catching_up;
    });
  } finally {
    await queues.close();
  }
});

test('what a Redis missed is found when it is back, though the cores that knew of it were stopped before', async () => {
  const { one, second } = await people();
  const gateway = gatewayOf(one.user_id);
  const checked = (due_seq: number) => () =>
    gatewayOf(second)
      .of('delivery-check')
      .find(({ check }) => check.group_id === second && check.due_version > 0 && check.due_seq === due_seq);
  await gatewayOf(second).until(checked(0), 'the check of the new group');
  process.kill(stores[1]?.pid as number, 'SIGKILL');
  await stores[1]?.stop();
  await send(gateway, second, one, 'untold');
  await untilAcknowledged(gateway);
  await system.core(0).stop();

  stores[1] = await start(1);
  const { redis, names } = gatewayOf(second);
  await until(
    'the gateway of the test is back',
    () =>
      redis.status === 'ready' &&
      redis.pubsub('NUMSUB', names.group(second)).then(
        (reply) => reply[1] === 1,
        () => false,
      ),
  );
  await system.core(0).start();
  await gatewayOf(second).until(checked(1), 'its delivery check');
});
