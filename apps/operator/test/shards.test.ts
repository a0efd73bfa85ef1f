import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis, createNames, DeadRequests } from '@hooligram/bus';
import { handleNodeCall, type NodeCallHandlers, type NodeRole } from '@hooligram/contract';
import { type Store, startRedis } from '@hooligram/local';
import { freePorts, freshPrefix, patienceMs, silentLog } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findPlace } from '../src/config.ts';
import { examineAllRedis } from '../src/doctor/all-redis.ts';
import { hooligram } from './hooligram.ts';

type Redis = Awaited<ReturnType<typeof connectRedis>>;
type Connected = { readonly store: Store; readonly redis: Redis };

const prefix = freshPrefix();
const names = createNames(prefix);
const closers: (() => unknown)[] = [];
let dir: string;
let one: Connected;
let two: Connected;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hooligram-shards-'));
  const ports = await freePorts(2);
  const start = async (name: string, port = 0): Promise<Connected> => {
    const store = await startRedis({ dataDir: join(dir, name), logDir: dir, port, restart: false });
    const redis = await connectRedis(store.url, { role: 'command', name: 'test', log: silentLog });
    return { store, redis };
  };
  [one, two] = await Promise.all([start('one', ports[0]), start('two', ports[1])]);
});
afterAll(async () => {
  for (const close of closers) close();
  for (const started of [one, two]) {
    started?.redis.disconnect();
    await started?.store.stop();
  }
  rmSync(dir, { recursive: true, force: true });
});

const list = () => `${one.store.url},${two.store.url}`;
/** On a busy machine a node answers late. */
const nodeReplyTimeoutMs = String(patienceMs);
const run = (...args: string[]) =>
  hooligram({ REDIS_URL: list(), REDIS_PREFIX: prefix, NODE_REPLY_TIMEOUT_MS: nodeReplyTimeoutMs }, args);

/** A node that is subscribed on some Redis, and counts the calls that it gets. */
async function node(name: string, role: NodeRole, on: readonly Connected[]) {
  const seen: string[] = [];
  const drain = { kind: 'none', left: 0 } as const;
  const gateway = { connections: 3, users: 2, groups: 1, requests_pending: 0, drain };
  const handlers: NodeCallHandlers = {
    STATUS: () => ({
      ...{ release: '0.1.0', host: 'h', pid: 1, started_at: new Date().toISOString(), admin_port: 1 },
      ...{ is_ready: true, failing: [], rss_bytes: 1, busy_percent: 1 },
      gateway: role === 'gateway' ? gateway : null,
    }),
    DRAIN: () => ({ kind: 'drain', left: 3 }),
  };
  for (const { store, redis } of on) {
    const subscriber = await connectRedis(store.url, { role: 'subscriber', name: 'node', log: silentLog });
    closers.push(() => subscriber.disconnect());
    subscriber.on('messageBuffer', async (_channel: Buffer, bytes: Buffer) => {
      const me = { node: name, role, replyChannels: names.operator('') };
      const handled = await handleNodeCall(bytes, me, handlers);
      if (!handled) return;
      seen.push(handled.reply.type);
      await redis.publish(handled.channel, JSON.stringify(handled.reply));
    });
    await subscriber.subscribe(names.nodes, names[role](name));
  }
  return seen;
}

test('every node answers once, over whichever Redis it is subscribed to, and is steered once', async () => {
  const [both, onSecond] = [
    await node('both', 'gateway', [one, two]),
    await node('second', 'gateway', [two]),
  ];
  const core = await node('core', 'core', [one, two]);
  const { code, ...ran } = await run('status', '--json');
  const { nodes, silent, redis, is_well } = ran.json();
  expect({ code, silent, is_well }).toEqual({ code: 0, silent: [], is_well: true });
  expect(nodes.map((found: { node: string }) => found.node).sort()).toEqual(['both', 'core', 'second']);
  expect(redis.map(({ url }: { url: string }) => url)).toEqual([one.store.url, two.store.url]);
  expect([both, onSecond, core]).toEqual([['STATUS'], ['STATUS'], ['STATUS']]);
  expect((await run('drain', 'second', '--no-wait')).code).toBe(0);
  expect([both, onSecond].map((seen) => seen.filter((type) => type === 'DRAIN').length)).toEqual([0, 1]);
});

test('dead letters of all Redis are listed, and each is dropped where it is', async () => {
  const keep = ({ redis }: Connected, request_id: string) =>
    new DeadRequests(redis, names.deadRequests).keep({
      type: 'MESSAGING_SEND',
      request_id,
      params: {},
      reason: 'a test',
    });
  await keep(one, 'first');
  await keep(two, 'second');
  const found = (await run('dead-letters', 'list', '--json')).json();
  expect(found.map(({ about }: { about: { request_id: string } }) => about.request_id)).toEqual([
    'first',
    'second',
  ]);
  const [, second] = found;
  expect(second.id).toMatch(/^request\/\d+-\d+@1$/);
  expect((await run('dead-letters', 'drop', second.id)).code).toBe(0);
  const left = (await run('dead-letters', 'list', '--json')).json();
  expect(left.map(({ about }: { about: { request_id: string } }) => about.request_id)).toEqual(['first']);
  expect((await run('status', '--json')).json().dead_letters).toBe(1);
});

test('the doctor examines every Redis, says of which it speaks, and finds two addresses of one', async () => {
  const examine = (url: string) =>
    examineAllRedis(findPlace('nowhere', { REDIS_URL: url, REDIS_PREFIX: prefix }), 8_388_608);
  const bad = (found: Awaited<ReturnType<typeof examine>>) =>
    found.findings.filter(({ verdict }) => verdict === 'fault').map(({ name, text }) => [name, text]);
  const both = await examine(list());
  expect([bad(both), both.isOneWell]).toEqual([[], true]);
  expect(both.findings.filter(({ text }) => text.startsWith(`${two.store.url}: `)).length).toBeGreaterThan(3);
  const again = `${one.store.url.replace('127.0.0.1', 'localhost')}`;
  expect(bad(await examine(`${one.store.url},${again}`))).toEqual([
    ['redis.twice', `${one.store.url} and ${again} are the same server`],
  ]);
});

test('with one Redis away, status says which, and shows what the others know', async () => {
  const nobody = `redis://127.0.0.1:${(await freePorts(1))[0]}`;
  const env = { REDIS_URL: `${one.store.url},${nobody}`, REDIS_PREFIX: prefix };
  const status = await hooligram(env, ['status']);
  expect(status.code).toBe(1);
  expect(status.stdout).toContain(`a Redis is away: ${nobody}: `);
  expect(status.stdout).toContain('both');
  const letters = await hooligram(env, ['dead-letters', 'list']);
  expect([letters.code, letters.stderr]).toEqual([
    3,
    expect.stringContaining(`a Redis is away: ${nobody}: `),
  ]);
});
