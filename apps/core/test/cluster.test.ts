import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectRedis, createNames, Placement, reasonOf, slotOf, tagOfAddress } from '@hooligram/bus';
import { redisAddresses } from '@hooligram/service';
import {
  ownCluster,
  patienceMs,
  type RedisCluster,
  redisUrl,
  silentLog,
  startSystem,
  type TestSystem,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { createGroup, errorsOf, receiveMessage, sendMessage } from './fixture.ts';
import { hooligram } from './operator-command.ts';
import { enter, sendThrough } from './sends-through.ts';

const shards = 3;
/** Whoever has no role of them may do everything here: the test, and the nodes between themselves. */
const users = readFileSync('infra/redis/cluster-users.acl', 'utf8').replace('user default off', '');
/** That of the file of users. */
const prefix = 'hooligram';
const placement = new Placement(shards);

let cluster: RedisCluster;
let system: TestSystem;
let database: Database;

beforeAll(async () => {
  cluster = await ownCluster({ overTls: true, users });
  const env = { REDIS_CA_FILE: cluster.caFile, REDIS_PREFIX: prefix };
  system = await startSystem({
    ...{ gateways: 2, cores: 1, env },
    gatewayEnv: { REQUEST_PATIENCE_MS: '200000', REDIS_URL: urlOf('gateway') },
    // Jobs run soon, as their user.
    coreEnv: { REDIS_URL: urlOf('core'), DELIVERY_ACK_DEADLINE_MS: '1000' },
  });
  database = openDatabase(system.databaseUrl);
});

afterAll(async () => {
  await database?.close();
  await system?.stop();
  await cluster?.stop();
});

/** As a role of the file of users, whose words are the passwords. */
const urlOf = (role: 'gateway' | 'core' | 'operator') =>
  cluster.url.replace('://', `://${role}:${role.toUpperCase()}_PASSWORD@`);

const connectTo = (url: string) => connectRedis(url, { role: 'command', name: 'test', log: silentLog });

test('each master has the requests and channels of its groups and users, and messages cross between gateways through all of them', async () => {
  const [ada, bob, eve] = [await enter(system, 0), await enter(system, 1), await enter(system, 1)];
  const groups = new Map<number, number>();
  while (groups.size < shards) {
    const id = await createGroup(ada, [bob.sid, eve.sid]);
    groups.set(placement.of(id), id);
  }
  const addresses = redisAddresses(cluster.url);
  for (const [shard, group_id] of groups) {
    await receiveMessage(bob, await sendMessage(ada, group_id, `through ${shard}`));
    const tag = tagOfAddress(addresses[shard] as string);
    const master = await connectTo((await cluster.master(shard)).url);
    const names = createNames(prefix, undefined, tag);
    expect(await master.exists(names.requests, names.epoch, names.databaseEpoch)).toBe(3);
    const channels = (await master.pubsub('SHARDCHANNELS')) as string[];
    expect(channels).toEqual(expect.arrayContaining([`${names.group(group_id)}{${tag}}`]));
    expect(channels.filter((channel) => !channel.endsWith(`{${tag}}`))).toEqual([]);
    expect(await master.pubsub('CHANNELS')).toEqual([]);
    master.disconnect();
  }
  for (const person of [ada, bob, eve]) {
    const payload = { group_id: 2_000_000_000, content: 'no member' };
    expect(await errorsOf(person, 'MESSAGING_SEND', payload, randomUUID())).toEqual([
      'not a member of the group',
    ]);
    person.client.terminate();
  }
});

test('an operator’s user sees and steers all nodes, and the command finds no fault with the cluster or with its rights', async () => {
  const env = {
    ...{ REDIS_URL: urlOf('operator'), REDIS_CA_FILE: cluster.caFile },
    // Every node replies: on a busy machine later.
    NODE_REPLY_TIMEOUT_MS: String(patienceMs),
  };
  const status = await hooligram(env, 'status');
  expect(status).toMatchObject({ is_well: true, silent: [], dead_letters: 0 });
  expect(status.nodes).toHaveLength(3);
  expect(status.redis).toHaveLength(shards);
  const { node } = status.nodes.find(({ role }: { role: string }) => role === 'gateway');
  expect(await hooligram(env, 'drain', node, '--stop')).toMatchObject({ node });
  const { findings } = (await hooligram(env, 'doctor')) as { findings: Record<string, string>[] };
  const ofRedis = findings.filter(({ name }) => /^(redis|nodes)\./.test(name as string));
  expect(ofRedis.filter(({ name }) => name === 'redis.write-path')).toHaveLength(shards);
  expect(ofRedis.filter(({ verdict }) => verdict === 'fault' || verdict === 'warning')).toEqual([]);
  expect(await hooligram(env, 'dead-letters', 'list')).toEqual([]);
  expect(system.logs()).not.toMatch(/NOPERM|lacks a right/);
});

test.each([
  ['the master of a group dies', (group: number) => cluster.killMaster(placement.of(group))],
  ['its replica is made the master', (group: number) => cluster.failOver(placement.of(group))],
  ['its slot is moved to another master', moveTo],
])(
  'when %s, every process follows over TLS, and what was answered is all that is stored, and arrives once, in order',
  async (_, happens) => {
    // Without a replica nobody could take over.
    await cluster.revive();
    await cluster.whole();
    await sendThrough(system, database, happens);
  },
);

async function moveTo(group_id: number): Promise<void> {
  const shard = placement.of(group_id);
  const slot = slotOf(tagOfAddress(redisAddresses(cluster.url)[shard] as string));
  await cluster.moveSlot(slot, (shard + 1) % shards);
}

test('a REDIS_URL that takes a Redis for a cluster, or a cluster for a Redis, is told how it must begin', async () => {
  const { host } = new URL(await redisUrl());
  await expect(connectTo(`redis+cluster://${host}`)).rejects.toThrow(
    'Redis is no node of a Redis Cluster, and REDIS_URL must begin with redis://',
  );
  const master = await connectTo((await cluster.master(0)).url);
  const ofAnother = createNames(prefix, undefined, tagOfAddress(redisAddresses(cluster.url)[1] as string));
  const refused = await master.xlen(ofAnother.requests).catch(reasonOf);
  expect(refused).toContain('REDIS_URL must begin with redis+cluster://');
  master.disconnect();
});
