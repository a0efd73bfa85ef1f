import { randomUUID } from 'node:crypto';
import type { CoreRequest } from '@hooligram/contract';
import { type Db, messagingSend, openDb } from '@hooligram/db';
import { metrics, type ServiceProcess, uniqueSid } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { FakeGateway } from './fake-gateway.ts';
import { createGroup, startFixture, state, until } from './fixture.ts';
import { group, type User } from './group.ts';

const fixture = startFixture({ gateways: 1, cores: 0 });

const quick = { CLAIM_IDLE_MS: '300', CLAIM_EVERY_MS: '50' };
/** Concludes an expired entry as soon as none of its own statements can be in progress. */
const concluding = { ...quick, STATEMENT_TIMEOUT_MS: '500' };
/** Claims nothing, and waits for locks. */
const waiter = {
  CLAIM_IDLE_MS: '600000',
  LOCK_TIMEOUT_MS: '60000',
  STATEMENT_TIMEOUT_MS: '60000',
  REQUEST_SETTLE_MS: '67000',
};
const internalError = { ok: false, errors: ['internal error'] };
const success = { ok: true, answer: { message_id: expect.any(Number) } };

let database: Database;
let proxy: FaultyTcpProxy;
/** Writes its requests again when it is notified that they were lost, and not before. */
let patient = 0;
let fake: FakeGateway;
let one: User;
let group_id = 0;
let lastRef = 1_000_000;

beforeAll(async () => {
  const { system } = fixture;
  database = openDatabase(system.databaseUrl);
  proxy = await FaultyTcpProxy.start(system.databaseUrl);
  await system.addGateway({
    REQUEST_DEADLINE_MS: '300000',
    REQUEST_REPEAT_MS: '400000',
    REQUEST_PATIENCE_MS: '900000',
  });
  patient = system.gateways.length - 1;
  fake = await FakeGateway.connect(system);
  const core = await system.addCore();
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  ({ one, group_id } = await group(fake, db));
  await db.close();
  await core.stop();
});

afterEach(async () => {
  await database.release();
  proxy.release();
  const running = fixture.system.cores.filter(({ process }) => process.isRunning());
  await Promise.all(running.map((core) => core.kill()));
  await fake.redis.del(fixture.names.requests);
});

afterAll(async () => {
  fake?.close();
  await proxy?.stop();
  await database?.close();
});

async function counted(process: ServiceProcess, name: string, labels: Record<string, string> = {}) {
  return (await metrics(process.adminUrl)).value(`hooligram_core_${name}`, labels);
}

function message(content: string): CoreRequest {
  lastRef += 1;
  const params = { ...one, repeatable: true, group_id, content };
  return { ref: lastRef, request_id: randomUUID(), type: 'MESSAGING_SEND', params };
}

/** Writes an entry as a gateway does. @param interrupted the request that was in progress when its core ended */
async function write(
  requests: readonly CoreRequest[],
  { deadlineMs = 60_000, interrupted }: { deadlineMs?: number; interrupted?: number } = {},
): Promise<string> {
  const { redis, names, node } = fake;
  await redis.xgroup('CREATE', names.requests, names.cores, '0', 'MKSTREAM').catch(() => {});
  const fields = { v: 1, node, deadline: Date.now() + deadlineMs, requests: JSON.stringify(requests) };
  const added = redis.multi().xadd(names.requests, '*', ...Object.entries(fields).flat());
  if (interrupted === undefined) return (await added.exec())?.[0]?.[1] as string;
  // At once, so that no core that waits for entries gets it first.
  const read = added.xreadgroup('GROUP', names.cores, 'gone', 'COUNT', 1, 'STREAMS', names.requests, '>');
  const id = (await read.exec())?.[0]?.[1] as string;
  await redis.sadd(names.inProgress(id), interrupted);
  return id;
}

async function deliveriesOf(id: string): Promise<number> {
  const { redis, names } = fake;
  const [pending] = (await redis.xpending(names.requests, names.cores, id, id, 1)) as [unknown[]?];
  return Number(pending?.[3]);
}

function outcomesOf({ ref }: CoreRequest): unknown[] {
  return fake.answers.filter((answer) => answer.ref === ref).map(({ ref: _, ...outcome }) => outcome);
}

async function untilAnswered(request: CoreRequest): Promise<unknown> {
  await until('it is answered', () => outcomesOf(request).length > 0);
  return outcomesOf(request).at(-1);
}

async function untilStreamEmpty(): Promise<void> {
  const { redis, names } = fake;
  await until('the stream is empty', async () => (await redis.xlen(names.requests)) === 0);
}

async function storedOf(request: CoreRequest): Promise<number> {
  const { request_id } = request;
  return (await database.rows('SELECT FROM message WHERE request_id = $1 AND group_id > 0', [request_id]))
    .length;
}

test('a session’s messages keep their order when two cores are killed one after the other in the middle of them', async () => {
  const { system, names } = fixture;
  const first = await system.addCore(quick);
  const [ada, bob] = [await fixture.enter(patient), await fixture.enter(0)];
  // In the order of their ids: a statement that waits for the busy group has not locked the other one.
  const busy = await createGroup(ada, [bob.sid, uniqueSid()]);
  const free = await createGroup(ada, [bob.sid, uniqueSid()]);
  for (const id of [busy, free]) await state(ada, id);
  const release = await database.holdGroup(busy);
  // All at once: a frozen gateway finds them together.
  system.gateway(patient).freeze();
  const contents = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'];
  const ids = contents.map((content) => {
    const payload = { group_id: content === 'm2' ? busy : free, content };
    return ada.client.send('MESSAGING_SEND_REQUEST', payload, randomUUID());
  });
  system.gateway(patient).resume();

  await database.untilWaiting(1);
  await first.kill();
  const second = await system.addCore(quick);
  await until('the second core waits with m2', async () => {
    const stored = await database.rows('SELECT FROM message WHERE group_id = $1', [free]);
    return stored.length === 2;
  });
  const redis = await fixture.redis();
  const [[id]] = (await redis.xrange(names.requests, '-', '+')) as [[string, string[]]];
  await until('m2 is marked', async () => (await redis.smembers(names.inProgress(id))).join() === '2');
  await second.kill();

  await system.addCore(quick);
  const seen = await deliveriesOf(id);
  await until('the third core has come to its end', async () => !((await deliveriesOf(id)) < seen + 2));
  await release();
  await redis.publish(names.gateways, 'lost');
  for (const id of ids) {
    expect((await ada.client.answer('MESSAGING_SEND', id)).type).toBe('MESSAGING_SEND_SUCCESS');
  }
  const stored = await database.rows<{ content: string }>(
    'SELECT content FROM message WHERE group_id IN ($1, $2) ORDER BY id',
    [busy, free],
  );
  expect(stored.map(({ content }) => content)).toEqual(contents);
});

describe('a request that was running when its core ended', () => {
  test('holds back the later requests of its session, and no others', async () => {
    const behind = message('behind');
    const params = { user_ids: [one.user_id] };
    const other = {
      ref: lastRef + 1_000,
      request_id: randomUUID(),
      type: 'GROUP_IDS',
      params,
    } as CoreRequest;
    const requests = [message('before'), message('the interrupted'), behind, other];
    const id = await write(requests, { interrupted: 1, deadlineMs: 300_000 });
    const core = await fixture.system.addCore(quick);
    expect(await untilAnswered(other)).toMatchObject({ ok: true });
    await until('it was looked at again', async () => (await deliveriesOf(id)) >= 4);
    expect(await storedOf(behind)).toBe(0);
    expect(outcomesOf(requests[0] as CoreRequest)).toContainEqual(success);
    expect(await counted(core, 'request_dead_letters_total')).toBe(0);
  });

  test('and gets FAILURE while its repetition waits for a lock, is not stored by the repetition', async () => {
    await fixture.system.addCore(waiter);
    const release = await database.holdGroup(group_id);
    const interrupted = message('answered with FAILURE');
    const repetition = { ...interrupted, ref: lastRef + 1_000 };
    await write([interrupted], { interrupted: 0, deadlineMs: -1 });
    await write([repetition]);
    await database.untilWaiting(1);
    await fixture.system.addCore(concluding);
    expect(await untilAnswered(interrupted)).toEqual(internalError);
    await release();
    expect(await untilAnswered(repetition)).toEqual(internalError);
    expect(await storedOf(interrupted)).toBe(0);
  });

  test('and whose COMMIT hangs, is not answered before the COMMIT has ended, and is published then', async () => {
    const [interrupted, untold] = [message('interrupted'), message('untold')];
    // A COMMIT that waits for a disk or a standby looks like this to other transactions: written, and not visible yet.
    const url = fixture.system.databaseUrl;
    const dead = openDb({ url, applicationName: 'hooligram-core', statementTimeoutMs: 120_000 });
    const session = await dead.pool.connect();
    await session.query('BEGIN');
    const sends = [interrupted, untold].map(({ request_id, params }) => {
      const { content } = params as { content: string };
      return { sender_id: one.user_id, request_id, repeatable: true, group_id, content };
    });
    await messagingSend({ ...dead, pool: session as unknown as Db['pool'] }, sends);
    const marked = await write([interrupted], { deadlineMs: 1_000, interrupted: 0 });
    await write([untold], { deadlineMs: 1_000, interrupted: 7 });
    const core = await fixture.system.addCore(concluding);
    // Every 300 ms, long after the deadline and the statement's timeout.
    await until('it was looked at many times', async () => (await deliveriesOf(marked)) >= 8);
    expect(await counted(core, 'request_dead_letters_total')).toBe(0);
    expect([outcomesOf(interrupted), outcomesOf(untold)]).toEqual([[], []]);
    await session.query('COMMIT');
    session.release();
    await dead.close();
    expect([await untilAnswered(interrupted), await untilAnswered(untold)]).toEqual([success, success]);
    await untilStreamEmpty();
    expect([await storedOf(interrupted), await storedOf(untold)]).toEqual([1, 1]);
  });
});

test('a statement that reaches the database after its deadline, because its core was frozen, stores nothing', async () => {
  await fixture.system.addCore({
    ...waiter,
    CLAIM_IDLE_MS: '300',
    DATABASE_URL: proxy.urlOf(fixture.system.databaseUrl),
  });
  proxy.hold('comes late');
  const late = message('comes late');
  const deadlineMs = 15_000;
  const deadline = Date.now() + deadlineMs;
  await write([late], { deadlineMs });
  await until('its statement is on its way', () => proxy.isHolding());
  await until('its deadline has passed', async () => {
    const [row] = await database.rows<{ now: number }>(
      'SELECT extract(epoch FROM clock_timestamp())::float8 AS now',
    );
    return (row?.now ?? 0) * 1_000 > deadline + 100;
  });
  proxy.release();
  // It runs after the late one, in their order: when it is answered, the late one has ended.
  const next = message('next');
  await write([next]);
  expect(await untilAnswered(next)).toEqual(success);
  expect([await storedOf(late), outcomesOf(late)]).toEqual([0, []]);
});

describe('a send that was refused, and whose sender is a member a moment later,', () => {
  let db: Db;
  beforeAll(() => {
    db = openDb({ url: fixture.system.databaseUrl, applicationName: 'test' });
  });
  afterAll(() => db.close());

  /** Another group, of others, and one more who is no member yet. */
  async function strangerOf() {
    const { group_id: theirs, one: owner } = await group(fake, db, 3);
    const sid = uniqueSid();
    const { id } = await db.prisma.user.create({ data: { sid } });
    const sent = message('refused');
    const params = { user_id: Number(id), sid, repeatable: true, group_id: theirs, content: 'refused' };
    const join = () =>
      fake.request('GROUP_ADD_MEMBER', {
        ...{ user_id: owner.user_id, repeatable: true, group_id: theirs, member_sid: sid },
      });
    return { refused: { ...sent, params } as CoreRequest<'MESSAGING_SEND'>, join };
  }

  test('stays refused when its core is killed before the entry is done, and another one claims that', async () => {
    const first = await fixture.system.addCore(quick);
    const { refused, join } = await strangerOf();
    const release = await database.holdGroup(group_id);
    const held = message('held');
    await write([refused, held]);
    expect(await untilAnswered(refused)).toEqual({ ok: false, errors: ['not a member of the group'] });
    await database.untilWaiting(1);
    await join();
    await first.kill();
    await release();
    await fixture.system.addCore(quick);
    expect(await untilAnswered(held)).toEqual(success);
    await untilStreamEmpty();
    expect(await storedOf(refused)).toBe(0);
  });

  test.each([
    ['its gateway had written it twice, whichever copy runs later', { again: true }, {}],
    ['its entry was claimed, and the core that had it first runs it later', {}, { interrupted: 99 }],
  ])('stays refused when %s', async (_, marks, how) => {
    await fixture.system.addCore(quick);
    const { refused, join } = await strangerOf();
    const copy = { ...refused, ref: refused.ref + 1_000, ...marks };
    await write([copy], how);
    expect(await untilAnswered(copy)).toEqual({ ok: false, errors: ['not a member of the group'] });
    await join();
    await write([refused]);
    expect(await untilAnswered(refused)).toEqual(internalError);
    expect(await storedOf(refused)).toBe(0);
  });

  test('costs no statement of its own, and one that another core has just stored is answered as that was', async () => {
    const core = await fixture.system.addCore(waiter);
    const strangers = [await strangerOf(), await strangerOf(), await strangerOf()];
    const copies = strangers.map(({ refused }) => ({ ...refused, ref: refused.ref + 1_000, again: true }));
    const { request_id, params } = copies[1] as (typeof copies)[number];
    const release = await database.hold(
      `WITH raised AS (UPDATE "group" SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq)
       INSERT INTO message (id, group_id, seq, sender_id, request_id, content, date_created)
       SELECT nextval('message_id_seq'), $1, last_seq, $2, $3, $4, clock_timestamp() FROM raised`,
      [params.group_id, params.user_id, request_id, params.content],
    );
    await write(copies);
    await database.untilWaiting(1);
    await release();
    const notMember = { ok: false, errors: ['not a member of the group'] };
    const outcomes = await Promise.all(copies.map(untilAnswered));
    expect(outcomes).toEqual([notMember, success, notMember]);
    expect(await counted(core, 'database_statement_seconds_count', { statement: 'refuse' })).toBe(1);
    await Promise.all(strangers.map(({ join }) => join()));
    const firsts = strangers.map(({ refused }) => refused);
    await write(firsts);
    expect(await Promise.all(firsts.map(untilAnswered))).toEqual([internalError, success, internalError]);
    expect(await Promise.all(firsts.map(storedOf))).toEqual([0, 1, 0]);
  });
});

test('a copy of what was stored is answered as that was, and no limit stands in its way', async () => {
  await fixture.system.addCore({ ...quick, LIMITS_ENABLED: 'true', LIMIT_MESSAGES_PER_USER: '1/86400' });
  const [first, second] = [message('first'), message('second')];
  await write([first]);
  const answer = await untilAnswered(first);
  expect(answer).toEqual(success);
  const copies = [first, second].map((request) => ({ ...request, ref: request.ref + 1_000, again: true }));
  await write(copies);
  expect(await untilAnswered(copies[0] as CoreRequest)).toEqual(answer);
  expect(await untilAnswered(copies[1] as CoreRequest)).toEqual(success);
  await write([second]);
  expect(await untilAnswered(second)).toEqual(await untilAnswered(copies[1] as CoreRequest));
});
