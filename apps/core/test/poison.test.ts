import { randomUUID } from 'node:crypto';
import type { CoreRequest } from '@hooligram/contract';
import { openDb } from '@hooligram/db';
import { metrics, type ServiceProcess, startSystem, type TestSystem } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { FakeGateway } from './fake-gateway.ts';
import { until } from './fixture.ts';
import { group, send, type User } from './group.ts';

const quick = { CLAIM_IDLE_MS: '300', CLAIM_EVERY_MS: '50' };
/** Concludes an expired entry as soon as none of its own statements can be in progress. */
const concluding = { ...quick, STATEMENT_TIMEOUT_MS: '500' };
const internalError = { ok: false, errors: ['internal error'] };

let system: TestSystem;
let gateway: FakeGateway;
let database: Database;
let proxy: FaultyTcpProxy;
let one: User;
let two: User;
let group_id: number;
let lastRef = 1_000_000;

beforeAll(async () => {
  system = await startSystem({ gateways: 0, cores: 1, coreEnv: quick });
  gateway = await FakeGateway.connect(system);
  database = openDatabase(system.databaseUrl);
  proxy = await FaultyTcpProxy.start(system.databaseUrl);
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  ({ one, two, group_id } = await group(gateway, db));
  await db.close();
  await system.core(0).stop();
});

afterEach(async () => {
  await database.release();
  proxy.open();
  await Promise.all(system.cores.filter(({ process }) => process.isRunning()).map((core) => core.kill()));
  await gateway.redis.del(gateway.names.requests);
});

afterAll(async () => {
  gateway?.close();
  await proxy?.stop();
  await database?.close();
  await system?.stop();
});

function counted({ adminUrl }: ServiceProcess, name: string, labels: Record<string, string> = {}) {
  return metrics(adminUrl).then((found) => found.value(`hooligram_core_${name}`, labels));
}

/** A message in the group, with a fault. */
function message(
  content: string,
  wrong: { request_id?: string } = {},
  { user_id, sid }: User = one,
): CoreRequest {
  lastRef += 1;
  const params = { user_id, sid, repeatable: true, group_id, content };
  return { ref: lastRef, request_id: randomUUID(), type: 'MESSAGING_SEND', params, ...wrong };
}

/** Writes an entry as a gateway does; it belongs to a core that is gone. @returns its id */
async function leave(requests: readonly CoreRequest[], { deadlineMs = 60_000 } = {}): Promise<string> {
  const { redis, names, node } = gateway;
  await redis.xgroup('CREATE', names.requests, names.cores, '0', 'MKSTREAM').catch(() => {});
  const deadline = Date.now() + deadlineMs;
  const fields = { v: 1, node, deadline, requests: JSON.stringify(requests) };
  // At once, so that no core that waits for entries gets it first.
  const [[, id] = []] = (await redis
    .multi()
    .xadd(names.requests, '*', ...Object.entries(fields).flat())
    .xreadgroup('GROUP', names.cores, 'gone', 'COUNT', 1, 'STREAMS', names.requests, '>')
    .exec()) as [Error | null, string][];
  return id as string;
}

/** How often an entry was given to a core. */
async function deliveriesOf(id: string): Promise<number> {
  const { redis, names } = gateway;
  const [pending] = (await redis.xpending(names.requests, names.cores, id, id, 1)) as [unknown[]];
  return Number(pending?.[3]);
}

/** The answers to these requests, in their order, once the stream is empty. */
async function outcomes(requests: readonly CoreRequest[]): Promise<unknown[]> {
  const { redis, names } = gateway;
  await until('the stream is empty', async () => {
    const [pending] = (await redis.xpending(names.requests, names.cores)) as [number];
    return Number(pending) === 0 && (await redis.xlen(names.requests)) === 0;
  });
  return requests.map(({ ref }) => {
    const { ref: _, ...outcome } = gateway.answers.find((answer) => answer.ref === ref) ?? { ref };
    return outcome;
  });
}

const success = { ok: true, answer: { message_id: expect.any(Number) } };

async function isStored({ request_id }: CoreRequest): Promise<boolean> {
  return (
    (await database.rows('SELECT FROM message WHERE request_id = $1 AND group_id > 0', [request_id]))
      .length === 1
  );
}

function countDeadLetters(core: ServiceProcess): Promise<number> {
  return counted(core, 'request_dead_letters_total');
}

/** An entry of five requests, two of which the database cannot accept, for reasons of their own. */
function mixed(): CoreRequest[] {
  return [
    message('innocent'),
    message('\0 the secret of somebody'),
    message('innocent'),
    message('with an id that is none', { request_id: 'none' }),
    message('innocent'),
  ];
}

const mixedOutcomes = [success, internalError, success, internalError, success];

/** The ids of the requests that became dead letters, by the end of a log. */
function deadLettersIn(log: string): string[] {
  const lines = log.split('\n').filter((line) => line.includes('request became a dead letter'));
  return lines.map((line) => JSON.parse(line).request_id);
}

async function expectDeadLetters(core: ServiceProcess, requests: readonly CoreRequest[]): Promise<void> {
  expect(await counted(core, 'request_dead_letters_total', { type: 'MESSAGING_SEND' })).toBe(requests.length);
  const log = await until(
    'the log says what they were',
    () => core.log(),
    (text) => requests.every(({ request_id }) => deadLettersIn(text).includes(request_id)),
  );
  // No content of a message is logged.
  expect(log).not.toContain('secret');
}

describe('a request that the database cannot accept, for a reason of its own,', () => {
  test('gets FAILURE and becomes a dead letter, and the others of its batch are stored', async () => {
    const core = await system.addCore();
    const asked = ['innocent', '\0 the secret of somebody', 'innocent'].map((content) =>
      send(gateway, group_id, one, content).then(
        () => 'stored',
        (error: Error) => error.message,
      ),
    );
    expect(await Promise.all(asked)).toEqual(['stored', 'MESSAGING_SEND: internal error', 'stored']);
    expect(await countDeadLetters(core)).toBe(1);
  });

  test('gets FAILURE and becomes a dead letter when it is claimed, and the others of its entry are stored', async () => {
    const requests = mixed();
    await leave(requests);
    const core = await system.addCore();
    expect(await outcomes(requests)).toEqual(mixedOutcomes);
    await expectDeadLetters(
      core,
      requests.filter((_, index) => index % 2 === 1),
    );
  });

  test('does not keep stored messages from being published when it is claimed after its deadline', async () => {
    const stored = message('stored before');
    await leave([stored]);
    await system.addCore(concluding);
    await outcomes([stored]);
    const requests = [message('never begun'), message('', { request_id: 'none' }), stored];
    await leave(requests, { deadlineMs: -1 });
    const answered = gateway.answers.length;
    const next = message('next');
    await leave([next]);
    expect(await outcomes([next])).toEqual([success]);
    const since = gateway.answers.slice(answered).map(({ ref }) => ref);
    expect(since.sort()).toEqual([stored.ref, next.ref].sort());
    expect(await isStored(requests[0] as CoreRequest)).toBe(false);
  });
});

describe('a request that was in progress when its core ended', () => {
  /** @param core takes nothing before the mark is there */
  async function leaveSuspect(
    core: ServiceProcess,
    requests: readonly CoreRequest[],
    index: number,
    deadlineMs: number,
  ): Promise<string> {
    core.freeze();
    const id = await leave(requests, { deadlineMs });
    await gateway.redis.sadd(gateway.names.inProgress(id), index);
    core.resume();
    return id;
  }

  test('is not begun again and gets FAILURE after its deadline, and the requests of others run at once', async () => {
    const requests = [message('innocent'), message('the interrupted'), message('innocent', {}, two)];
    const core = await system.addCore(concluding);
    const answered = gateway.answers.length;
    const id = await leaveSuspect(core, requests, 1, 15_000);
    expect(await outcomes(requests)).toEqual([success, internalError, success]);
    const firsts = [...new Set(gateway.answers.slice(answered).map(({ ref }) => ref))];
    expect(firsts).toEqual([requests[0], requests[2], requests[1]].map((request) => request?.ref));
    expect(await isStored(requests[1] as CoreRequest)).toBe(false);
    await expectDeadLetters(core, requests.slice(1, 2));
    expect(await gateway.redis.exists(gateway.names.inProgress(id))).toBe(0);
  });

  test('gets SUCCESS if it was stored: a core may end for other reasons', async () => {
    const interrupted = message('stored before the end');
    await leave([interrupted]);
    const core = await system.addCore(concluding);
    await outcomes([interrupted]);
    const answered = gateway.answers.length;
    await leaveSuspect(core, [interrupted], 0, 500);
    await outcomes([interrupted]);
    expect(gateway.answers.slice(answered)).toEqual([{ ref: interrupted.ref, ...success }]);
    expect(await countDeadLetters(core)).toBe(0);
  });

  test('gets FAILURE and is not stored if its statement goes on after the deadline', async () => {
    // Longer than from the beginning of the statement until its group is released.
    const timeouts = { LOCK_TIMEOUT_MS: '60000', STATEMENT_TIMEOUT_MS: '60000', REQUEST_SETTLE_MS: '67000' };
    const patient = { ...quick, ...timeouts };
    const [first, second] = [await system.addCore(patient), await system.addCore(concluding)];
    second.freeze();
    const interrupted = message('comes too late');
    const release = await database.holdGroup(group_id);
    const deadlineMs = 15_000;
    const deadline = Date.now() + deadlineMs;
    const id = await leave([interrupted], { deadlineMs });
    await database.untilWaiting(1);
    await first.kill();
    second.resume();
    await until('the deadline is over', async () => {
      const [seconds, microseconds] = await gateway.redis.time();
      return Number(seconds) * 1_000 + Number(microseconds) / 1_000 > deadline;
    });
    // Entries are claimed one at a time: with the second claim, the first one is over.
    const looks = await deliveriesOf(id);
    await until('it was looked at behind the deadline', async () => (await deliveriesOf(id)) >= looks + 2);
    expect(await countDeadLetters(second)).toBe(0);
    await release();
    expect(await outcomes([interrupted])).toEqual([internalError]);
    expect(await isStored(interrupted)).toBe(false);
  });
});

describe('while the database does not answer', () => {
  test('no request gets FAILURE: claimed and new messages are stored when it is back', async () => {
    const core = await system.addCore({ DATABASE_URL: proxy.urlOf(system.databaseUrl) });
    proxy.close();
    const claimed = [message('claimed'), message('claimed too')];
    await leave(claimed);
    const coming = send(gateway, group_id, one, 'just came');
    await until('both were tried', async () => {
      const failures = await counted(core, 'batch_failures_total', { type: 'MESSAGING_SEND' });
      return failures >= 2 && (await counted(core, 'entries_claimed_total')) >= 1;
    });
    proxy.open();
    await coming;
    expect(await outcomes(claimed)).toEqual([success, success]);
    expect(await countDeadLetters(core)).toBe(0);
  });

  test('an expired request is not begun when it is back, and those after it are', async () => {
    const core = await system.addCore({ ...concluding, DATABASE_URL: proxy.urlOf(system.databaseUrl) });
    proxy.close();
    const old = message('too old');
    const expiresAt = Date.now() + 1_100;
    await leave([old], { deadlineMs: 1_000 });
    await until('it was tried in vain, and its deadline is over', async () => {
      return (await counted(core, 'entries_claimed_total')) >= 1 && Date.now() > expiresAt;
    });
    proxy.open();
    const next = message('next');
    await leave([next]);
    expect(await outcomes([old, next])).toEqual([{}, success]);
    expect(await isStored(old)).toBe(false);
  });
});
