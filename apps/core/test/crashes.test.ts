import { randomUUID } from 'node:crypto';
import { metrics, type ServiceProcess, uniqueSid } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { expire } from './expire.ts';
import {
  contents,
  createGroup,
  numberOf,
  receiveMessage,
  type SignedInClient,
  sendMessage,
  startFixture,
  state,
  stateOf,
  until,
} from './fixture.ts';

/** No time that a gateway measures is over during a test: cores start as slowly as they like. */
const patient = {
  REQUEST_DEADLINE_MS: '200000',
  REQUEST_REPEAT_MS: '300000',
  REQUEST_PATIENCE_MS: '700000',
};

// Nothing is due for redelivery either.
const fixture = startFixture({
  gateways: 2,
  cores: 0,
  env: { DELIVERY_ACK_DEADLINE_MS: '600000' },
  gatewayEnv: patient,
});

/** Its statements wait for a lock for as long as a test holds it. */
const lasting = { LOCK_TIMEOUT_MS: '200000', STATEMENT_TIMEOUT_MS: '200000', REQUEST_SETTLE_MS: '207000' };
/** Claims at once the entries of another core. */
const quick = { ...lasting, CLAIM_IDLE_MS: '300', CLAIM_EVERY_MS: '50' };
/** Claims nothing. */
const aloof = { ...lasting, CLAIM_IDLE_MS: '600000' };

let database: Database;
/** Its requests are old after some seconds, long enough to start a core in between, and written again right after. */
let brief = 0;

beforeAll(async () => {
  const { system } = fixture;
  database = openDatabase(system.databaseUrl);
  await system.addGateway({ REQUEST_DEADLINE_MS: '6000', REQUEST_REPEAT_MS: '6300' });
  brief = system.gateways.length - 1;
});

afterEach(() => database.release());

afterAll(() => database?.close());

/** The cores that were started to claim at once. */
const quickCores = new Set<ServiceProcess>();

async function addCore(env: NodeJS.ProcessEnv): Promise<ServiceProcess> {
  const core = await fixture.system.addCore(env);
  if (env === quick) quickCores.add(core);
  return core;
}

/** The only core that runs: one of an earlier test if there is one, because each start costs a second. */
async function onlyCore(env: NodeJS.ProcessEnv): Promise<ServiceProcess> {
  const running = fixture.system.cores.filter(({ process }) => process.isRunning());
  const left = env === quick ? running.find((core) => quickCores.has(core)) : undefined;
  await Promise.all(running.filter((core) => core !== left).map((core) => core.kill()));
  return left ?? addCore(env);
}

async function counted(process: ServiceProcess, name: string, labels: Record<string, string> = {}) {
  return (await metrics(process.adminUrl)).value(`hooligram_${name}`, labels);
}

/** Two users of a group who have received it, the first of them on a gateway of choice. */
async function pair(gateway = 0): Promise<{ ada: SignedInClient; bob: SignedInClient; group_id: number }> {
  const [ada, bob] = [await fixture.enter(gateway), await fixture.enter(1)];
  const group_id = await createGroup(ada, [bob.sid]);
  for (const person of [ada, bob]) await state(person, group_id);
  return { ada, bob, group_id };
}

async function storedIn(group_id: number): Promise<string[]> {
  const rows = await database.rows<{ content: string }>(
    'SELECT content FROM message WHERE group_id = $1 ORDER BY seq',
    [group_id],
  );
  return rows.map(({ content }) => content);
}

/** Makes the deadline of the entry with this text pass. */
async function expireEntry(text: string): Promise<void> {
  await expire(await fixture.redis(), fixture.names, (await entryWith(text)).id);
}

/** The oldest entry in the stream with this text, once it is there. */
async function entryWith(text: string): Promise<{ id: string; fields: string[] }> {
  const redis = await fixture.redis();
  let found: [id: string, fields: string[]] | undefined;
  await until(`${text} is written`, async () => {
    const entries = await redis.xrange(fixture.names.requests, '-', '+');
    found = entries.find(([, fields]) => fields.some((field) => field.includes(`"${text}"`)));
    return found !== undefined;
  });
  const [id, fields] = found as unknown as [string, string[]];
  return { id, fields };
}

/** Resolves when a core has taken the entry with this text. */
async function untilTaken(text: string): Promise<void> {
  const redis = await fixture.redis();
  const { requests, cores } = fixture.names;
  const { id } = await entryWith(text);
  await until(`${text} is taken`, async () => {
    return (await redis.xpending(requests, cores, id, id, 1)).length === 1;
  });
}

function send({ client }: SignedInClient, group_id: number, content: string) {
  return client.requestOk('MESSAGING_SEND', { group_id, content }, randomUUID());
}

describe('a core is killed in the middle of a statement', () => {
  test('that goes on: another core runs it too, the message is stored once, answered and delivered', async () => {
    const first = await onlyCore(quick);
    const { ada, bob, group_id } = await pair();
    const release = await database.holdGroup(group_id);
    const sent = send(ada, group_id, 'once');
    await database.untilWaiting(1);
    await first.kill();
    const second = await addCore(quick);
    await database.untilWaiting(2);
    await release();
    const { payload } = await sent;
    await receiveMessage(bob, payload.message_id as number);
    expect(await storedIn(group_id)).toEqual(['once']);
    // The first core may have had cursors, too, of the pair or of an earlier test's users.
    expect(await counted(second, 'core_entries_claimed_total')).toBeGreaterThanOrEqual(1);
    expect(await fixture.counted('hooligram_gateway_requests_repeated_total')).toBe(0);
    await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
    expect(contents(bob)).toEqual(['once', 'fence']);
    expect(bob.client.received('MESSAGING_DELIVER_REQUEST')).toHaveLength(2);
  });

  test('that commits when no core is left: the core that claims it publishes it, and schedules its delivery check', async () => {
    const first = await onlyCore(quick);
    const { ada, bob, group_id } = await pair();
    const release = await database.holdGroup(group_id);
    const sent = send(ada, group_id, 'untold');
    await database.untilWaiting(1);
    await first.kill();
    await release();
    await until('it is stored', async () => (await storedIn(group_id)).length === 1);
    const redis = await fixture.redis();
    const waits = async () => (await redis.zscore(fixture.names.dueGroups, String(group_id))) !== null;
    const jobs = () => redis.zcard(`${fixture.names.queues}:delivery-check:delayed`);
    await redis.del(
      fixture.names.dueGroups,
      ...(await redis.keys(`${fixture.names.queues}:delivery-check:*`)),
    );
    expect([await waits(), await jobs()]).toEqual([false, 0]);
    await addCore({ ...quick, DELIVERY_ACK_DEADLINE_MS: '600000' });
    await receiveMessage(bob, (await sent).payload.message_id as number);
    await until('its delivery check is scheduled', async () => (await waits()) && (await jobs()) === 1);
    expect(await storedIn(group_id)).toEqual(['untold']);
  });

  test('that commits, and is claimed after its deadline: it is published and answered, and no request is begun', async () => {
    const first = await onlyCore(quick);
    const { ada, bob, group_id } = await pair();
    const release = await database.holdGroup(group_id);
    const sent = send(ada, group_id, 'told late');
    await database.untilWaiting(1);
    await first.kill();
    await release();
    await until('it is stored', async () => (await storedIn(group_id)).length === 1);
    // In the same stream, and never begun by a core.
    const other = await fixture.connect(0);
    const number = numberOf(uniqueSid());
    const unanswered = other.send('VERIFICATION_REQUEST_CODE_REQUEST', number);
    await expireEntry('told late');
    await expireEntry(number.phone_number);
    await addCore(quick);
    await receiveMessage(bob, (await sent).payload.message_id as number);
    expect(await storedIn(group_id)).toEqual(['told late']);
    const redis = await fixture.redis();
    await until('the stream is empty', async () => (await redis.xlen(fixture.names.requests)) === 0);
    await other.roundTrip();
    expect(other.frames.filter(({ id, type }) => id === unanswered && type.startsWith('VERIFI'))).toEqual([]);
  });
});

describe.each([
  ['before its deadline', false],
  ['after its deadline', true],
])('a change that was committed by a core that is dead, claimed %s,', (_, isLate) => {
  /** Kills the only core while a request waits for a lock, and lets the statement commit. */
  async function orphan(
    core: ServiceProcess,
    release: () => Promise<void>,
    isDone: () => Promise<boolean>,
    text: string,
  ): Promise<void> {
    await database.untilWaiting(1);
    await core.kill();
    await release();
    await until('it is committed', isDone);
    if (isLate) await expireEntry(text);
  }

  const membersOf = async (group_id: number) =>
    (await database.rows('SELECT FROM group_member WHERE group_id = $1', [group_id])).length;

  test('makes one group, which is published to every member', async () => {
    const core = await onlyCore(quick);
    const [ada, bob] = [await fixture.enter(0), await fixture.enter(1)];
    const group_name = randomUUID();
    const made = async () =>
      (await database.rows('SELECT FROM "group" WHERE name = $1', [group_name])).length;
    const release = await database.hold('LOCK TABLE "group" IN EXCLUSIVE MODE');
    const member_sids = [ada.sid, bob.sid];
    const created = ada.client.requestOk('GROUP_CREATE', { group_name, member_sids }, randomUUID());
    await orphan(core, release, async () => (await made()) === 1, group_name);
    await addCore(quick);
    const { payload } = await created;
    const group_id = payload.group_id as number;
    for (const person of [ada, bob]) await state(person, group_id);
    expect(await made()).toBe(1);
  });

  test('adds a member, to whom it is published', async () => {
    const core = await onlyCore(quick);
    const { ada, bob, group_id } = await threesome();
    const cat = await fixture.enter(1);
    const release = await database.holdGroup(group_id);
    const added = ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: cat.sid }, randomUUID());
    await orphan(core, release, async () => (await membersOf(group_id)) === 4, cat.sid);
    await addCore(quick);
    await added;
    await state(cat, group_id);
    await bob.client.waitFor((frames) => frames.some(({ payload }) => payload.member_sids?.length === 4));
  });

  test('removes a member once, and is answered with SUCCESS', async () => {
    const core = await onlyCore(quick);
    const { ada, bob, dan, group_id } = await threesome();
    const release = await database.holdGroup(group_id);
    const left = ada.client.requestOk('GROUP_LEAVE', { group_id }, randomUUID());
    await orphan(core, release, async () => (await membersOf(group_id)) === 2, 'GROUP_LEAVE');
    await addCore(quick);
    await left;
    await stateOf(bob, group_id, [bob.sid, dan.sid]);
    expect(await membersOf(group_id)).toBe(2);
  });

  async function threesome() {
    const [ada, bob, dan] = [await fixture.enter(0), await fixture.enter(1), await fixture.enter(1)];
    const group_id = await createGroup(ada, [bob.sid, dan.sid]);
    for (const person of [ada, bob, dan]) await state(person, group_id);
    return { ada, bob, dan, group_id };
  }
});

test('an ADD that runs again when its member has left does not add the member again', async () => {
  const first = await onlyCore(quick);
  const [ada, bob, dan, cat] = [
    await fixture.enter(0),
    await fixture.enter(1),
    await fixture.enter(1),
    await fixture.enter(1),
  ];
  const group_id = await createGroup(ada, [bob.sid, dan.sid]);
  const release = await database.holdGroup(group_id);
  const added = ada.client.requestOk('GROUP_ADD_MEMBER', { group_id, member_sid: cat.sid }, randomUUID());
  await database.untilWaiting(1);
  await first.kill();
  await release();
  const isMember = async () =>
    (
      await database.rows(
        'SELECT FROM group_member m JOIN "user" u ON u.id = m.user_id WHERE m.group_id = $1 AND u.sid = $2',
        [group_id, cat.sid],
      )
    ).length === 1;
  await until('cat is added', isMember);
  const second = await addCore(aloof);
  await cat.client.requestOk('GROUP_LEAVE', { group_id }, randomUUID());
  expect(await isMember()).toBe(false);
  await second.stop();
  await addCore(quick);
  await added;
  expect(await isMember()).toBe(false);
  await stateOf(bob, group_id, [ada.sid, bob.sid, dan.sid]);
});

test('a right code that was committed by a core that is dead is a right code when it is claimed', async () => {
  const first = await onlyCore(quick);
  const client = await fixture.connect(0);
  const sid = uniqueSid();
  await client.requestOk('VERIFICATION_REQUEST_CODE', numberOf(sid));
  const release = await database.hold('LOCK TABLE "user" IN EXCLUSIVE MODE');
  const submitted = client.requestOk('VERIFICATION_SUBMIT_CODE', { verification_code: '000000' });
  await database.untilWaiting(1);
  await first.kill();
  await release();
  await until('it is committed', async () => {
    const rows = await database.rows('SELECT FROM "user" WHERE sid = $1 AND credential_hash IS NOT NULL', [
      sid,
    ]);
    return rows.length === 1;
  });
  await addCore(quick);
  await submitted;
  await client.authorize(sid);
});

describe('a core that is late', () => {
  test('begins no request after its deadline: a message that the gateway has written again is stored once, in its order', async () => {
    const core = await onlyCore(lasting);
    const { ada, bob, group_id } = await pair(brief);
    const release = await database.holdGroup(group_id);
    const before = send(bob, group_id, 'before');
    await database.untilWaiting(1);
    const count = () => counted(fixture.system.gateway(brief), 'gateway_requests_repeated_total');
    const earlier = await count();
    const repeated = async () => (await count()) - earlier;
    const [first, second] = [send(ada, group_id, 'first'), send(ada, group_id, 'second')];
    // The second one goes with it or waits for its answer: that is up to the network.
    await until('it is written again', repeated);
    await release();
    for (const sent of [before, first, second]) await sent;
    await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
    const all = ['before', 'first', 'second', 'fence'];
    expect(await storedIn(group_id)).toEqual(all);
    expect(contents(bob)).toEqual(all);
    const labels = { type: 'MESSAGING_SEND', outcome: 'expired' };
    const expired = await counted(core, 'core_requests_total', labels);
    // A request that began in time may be written again, too, when its answer is late.
    expect(expired).toBeGreaterThanOrEqual(1);
    expect(expired).toBeLessThanOrEqual(await repeated());
  });

  test('because it was frozen, does no harm with an entry that another core has claimed meanwhile', async () => {
    const frozen = await onlyCore({ ...quick });
    const { ada, bob, group_id } = await pair();
    const release = await database.holdGroup(group_id);
    const first = send(bob, group_id, 'first');
    await database.untilWaiting(1);
    const second = send(ada, group_id, 'second');
    await untilTaken('second');
    frozen.freeze();
    await release();
    await addCore(quick);
    await first;
    await second;
    await receiveMessage(bob, await sendMessage(ada, group_id, 'third'));
    frozen.resume();
    const answered = { type: 'MESSAGING_SEND', outcome: 'success' };
    await until('it has come to the end of both', async () => {
      return (await counted(frozen, 'core_requests_total', answered)) >= 2;
    });
    await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
    const all = ['first', 'second', 'third', 'fence'];
    expect(await storedIn(group_id)).toEqual(all);
    expect(bob.client.received('MESSAGING_DELIVER_REQUEST').map(({ payload }) => payload.content)).toEqual(
      all,
    );
  });

  test('because it was frozen, begins no request that the gateway has given to another core', async () => {
    const frozen = await onlyCore(aloof);
    // Started before, which takes its time on a busy machine, and cut off: it takes nothing yet.
    const proxy = await FaultyTcpProxy.start(fixture.system.redisUrl);
    await addCore({ ...aloof, REDIS_URL: proxy.urlOf(fixture.system.redisUrl) });
    proxy.close();
    const { ada, bob, group_id } = await pair(brief);
    const other = await createGroup(bob, [ada.sid, uniqueSid()], 'another group');
    const release = await database.holdGroup(other);
    const held = send(bob, other, 'held');
    await database.untilWaiting(1);
    const first = send(ada, group_id, 'first');
    await untilTaken('first');
    frozen.freeze();
    proxy.open();
    await first;
    await send(ada, group_id, 'second');
    frozen.resume();
    await release();
    await held;
    await receiveMessage(bob, await sendMessage(ada, group_id, 'fence'));
    const expired = { type: 'MESSAGING_SEND', outcome: 'expired' };
    expect(await counted(frozen, 'core_requests_total', expired)).toBe(1);
    expect(await storedIn(group_id)).toEqual(['first', 'second', 'fence']);
    expect(contents(bob, group_id)).toEqual(['first', 'second', 'fence']);
    await proxy.stop();
  });
});

describe('a core that is told to stop', () => {
  test('finishes the requests that it has and ends with 0, and another core answers those that it has not accepted', async () => {
    const leaving = await onlyCore({ ...lasting, STOP_TIMEOUT_MS: '200000' });
    const { ada, bob, group_id } = await pair();
    const other = await createGroup(bob, [ada.sid, uniqueSid()], 'another group');
    await state(ada, other);
    const release = await database.holdGroup(group_id);
    const held = send(ada, group_id, 'held');
    await database.untilWaiting(1);
    leaving.process.kill('SIGTERM');
    await until('it is not ready', async () => !(await leaving.isReady()));
    const staying = await addCore(aloof);
    await receiveMessage(ada, await sendMessage(bob, other, 'meanwhile'));
    expect(leaving.process.isRunning()).toBe(true);
    await release();
    await receiveMessage(bob, (await held).payload.message_id as number);
    expect(await leaving.process.exited).toBe('exit code 0');
    expect(await counted(staying, 'core_entries_claimed_total')).toBe(0);
  });
});
