import { randomUUID } from 'node:crypto';
import { openDb } from '@hooligram/db';
import { metrics, startSystem, type TestSystem } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { until } from './fixture.ts';
import { group, send, type User } from './group.ts';

/** Room for so few requests that a place that is never freed is noticed. */
const tight = {
  CORE_REQUESTS_MAX: '2',
  STATEMENT_TIMEOUT_MS: '4000',
  CLAIM_IDLE_MS: '300',
  CLAIM_EVERY_MS: '50',
};

let system: TestSystem;
let gateway: FakeGateway;
let one: User;
let group_id: number;
let lastRef = 1_000_000;

beforeAll(async () => {
  system = await startSystem({ gateways: 0, cores: 1, coreEnv: tight });
  gateway = await FakeGateway.connect(system);
  const db = openDb({ url: system.databaseUrl, applicationName: 'test' });
  ({ one, group_id } = await group(gateway, db));
  await db.close();
});

afterAll(async () => {
  gateway?.close();
  await system?.stop();
});

/** Writes an entry that a gateway would not write. @returns the entry's id */
async function write(requests: string, other: Record<string, string | number> = {}): Promise<string> {
  const { redis, names, node } = gateway;
  const fields = { v: 1, node, deadline: Date.now() + 60_000, requests, ...other };
  return (await redis.xadd(names.requests, '*', ...Object.entries(fields).flat())) as string;
}

async function counted(name: string, labels: Record<string, string> = {}): Promise<number> {
  return (await metrics(system.core(0).adminUrl)).value(`hooligram_core_${name}`, labels);
}

/** @returns how many unreadable entries all cores have left, or removed, since now */
async function countedSince(outcome: 'left' | 'removed'): Promise<() => Promise<number>> {
  const all = async () => {
    const found = await Promise.all(system.cores.map(({ adminUrl }) => metrics(adminUrl)));
    return found
      .map((one) => one.value('hooligram_core_entries_unreadable_total', { outcome }))
      .reduce((sum, count) => sum + count, 0);
  };
  const before = await all();
  return async () => (await all()) - before;
}

function request(content: unknown, other: object = {}) {
  lastRef += 1;
  const params = { ...one, repeatable: true, group_id, content };
  return { ref: lastRef, request_id: randomUUID(), type: 'MESSAGING_SEND', params, ...other };
}

async function answerTo({ ref }: { ref: number }) {
  return gateway.until(() => gateway.answers.find((answer) => answer.ref === ref), 'it is answered');
}

test('rubbish in an entry uses up no room of the core, and the requests beside it are answered', async () => {
  const internalError = { ok: false, errors: ['internal error'] };
  const rubbish = ['null', '[null]', '{', '[7, "text", [], {}, {"ref": 1}]', '[{"ref": -1}]'];
  for (const text of rubbish) for (let times = 0; times < 5; times += 1) await write(text);
  await write('[]', { deadline: 'never' });
  await write('[]', { node: '' });
  // What is of an unknown type is left to a newer core until then: not for ever.
  await write(JSON.stringify([request('text', { type: 'NEW' })]), { deadline: 2 ** 53 });
  const [bad, unnamed, good] = [request(null), request('text', { request_id: null }), request('good')];
  await write(JSON.stringify([null, bad, unnamed, good]));
  expect(await answerTo(good)).toMatchObject({ ok: true });
  expect([await answerTo(bad), await answerTo(unnamed)]).toMatchObject([internalError, internalError]);
  expect(await send(gateway, group_id, one, 'afterwards')).toEqual({ message_id: expect.any(Number) });
  await until('the stream is empty', async () => (await gateway.redis.xlen(gateway.names.requests)) === 0);
  expect(await counted('requests_unreadable_total')).toBeGreaterThanOrEqual(5 * 7);
});

test('an entry of a layout that this core does not know stays for a core that does, and other entries go on', async () => {
  const { redis, names } = gateway;
  const id = await write('something new', { v: 2 });
  await until(
    'it was left',
    async () => (await counted('entries_unreadable_total', { outcome: 'left' })) === 1,
  );
  await system.addCore(tight);
  for (let times = 0; times < 5; times += 1) await send(gateway, group_id, one, 'meanwhile');
  const [pending] = (await redis.xpending(names.requests, names.cores, id, id, 1)) as unknown[][];
  expect(pending?.[0]).toBe(id);
  expect(await counted('entries_unreadable_total', { outcome: 'left' })).toBe(1);
  expect(await redis.xrange(names.requests, id, id)).toHaveLength(1);
  await redis.xdel(names.requests, id);
  await redis.xack(names.requests, names.cores, id);
});

test('a request of a type that these cores do not know is left at once to one that does, and those beside it are answered', async () => {
  const { redis, names } = gateway;
  const isLeft = await countedSince('left');
  const [tomorrow, today] = [request('text', { type: 'TOMORROW' }), request('today')];
  const id = await write(JSON.stringify([tomorrow, today]));
  expect(await answerTo(today)).toMatchObject({ ok: true });
  await until('each of them has left it', async () => (await isLeft()) === 2);
  for (let times = 0; times < 5; times += 1) await send(gateway, group_id, one, 'meanwhile');
  expect(await isLeft()).toBe(2);
  expect(gateway.answers.some(({ ref }) => ref === tomorrow.ref)).toBe(false);
  // Idle for as long as anybody may ask for: a newer core gets it with its first look.
  const [taken] = (await redis.xclaim(names.requests, names.cores, 'newer', 60_000, id)) as [
    string,
    string[],
  ][];
  expect(taken?.[0]).toBe(id);
  await redis.xdel(names.requests, id);
  await redis.xack(names.requests, names.cores, id);
});

test('what a newer release adds to an entry, to a request and to its parameters is ignored', async () => {
  const further = { further: { for: ['a newer release'] } };
  const added = { ...request('with more', further) };
  await write(JSON.stringify([{ ...added, params: { ...added.params, ...further } }]), { further: 'field' });
  expect(await answerTo(added)).toMatchObject({ ok: true, answer: { message_id: expect.any(Number) } });
});

test('a request of a type that no core knows is removed when nobody can begin it any more', async () => {
  const id = await write(JSON.stringify([request('text', { type: 'TOMORROW' })]), { deadline: Date.now() });
  const isRemoved = await countedSince('removed');
  await until(
    'it is removed',
    async () => (await gateway.redis.xrange(gateway.names.requests, id, id)).length === 0,
  );
  await until('and counted', async () => (await isRemoved()) > 0);
});

test('rubbish on the channel for redelivery replies is counted, and the core goes on', async () => {
  const { redis } = gateway;
  const channels = (await redis.pubsub('CHANNELS', `${system.prefix}:core:*`)) as string[];
  for (const channel of channels)
    for (const text of ['{', 'null', '{}', '7']) await redis.publish(channel, text);
  await until('it is counted', async () => (await counted('redelivery_replies_unreadable_total')) === 4);
  await send(gateway, group_id, one, 'goes on');
});
