import { connectRedis, createNames, Placement, reasonOf, slotOf, tagOfAddress } from '@hooligram/bus';
import { redisAddresses } from '@hooligram/service';
import {
  ownCluster,
  type RedisCluster,
  redisUrl,
  silentLog,
  startSystem,
  type TestSystem,
} from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from './database.ts';
import { createGroup, receiveMessage, sendMessage } from './fixture.ts';
import { enter, sendThrough } from './sends-through.ts';

const shards = 3;
const placement = new Placement(shards);

let cluster: RedisCluster;
let system: TestSystem;
let database: Database;

beforeAll(async () => {
  cluster = await ownCluster({ overTls: true });
  system = await startSystem({
    ...{ gateways: 2, cores: 1, env: { REDIS_URL: cluster.url, REDIS_CA_FILE: cluster.caFile } },
    gatewayEnv: { REQUEST_PATIENCE_MS: '200000' },
  });
  database = openDatabase(system.databaseUrl);
});

afterAll(async () => {
  await database?.close();
  await system?.stop();
  await cluster?.stop();
});

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
    const names = createNames(system.prefix, undefined, tag);
    expect(await master.exists(names.requests, names.epoch, names.databaseEpoch)).toBe(3);
    const channels = (await master.pubsub('SHARDCHANNELS')) as string[];
    expect(channels).toEqual(expect.arrayContaining([`${names.group(group_id)}{${tag}}`]));
    expect(channels.filter((channel) => !channel.endsWith(`{${tag}}`))).toEqual([]);
    expect(await master.pubsub('CHANNELS')).toEqual([]);
    master.disconnect();
  }
  for (const { client } of [ada, bob, eve]) client.terminate();
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
  const ofAnother = createNames(
    system.prefix,
    undefined,
    tagOfAddress(redisAddresses(cluster.url)[1] as string),
  );
  const refused = await master.xlen(ofAnother.requests).catch(reasonOf);
  expect(refused).toContain('REDIS_URL must begin with redis+cluster://');
  master.disconnect();
});
