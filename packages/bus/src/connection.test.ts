import { ownSentinel, type SentinelSet, silentLog, until } from '@hooligram/testkit';
import { FaultyTcpProxy } from '@hooligram/testkit/proxies';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { connectRedis, reconnect } from './connection.ts';

let stores: SentinelSet;
let proxy: FaultyTcpProxy;
let redis: Redis;

beforeAll(async () => {
  stores = await ownSentinel();
  const [, port] = /:(\d+)\/\?/.exec(stores.url) ?? [];
  proxy = await FaultyTcpProxy.start(`redis://127.0.0.1:${port}`);
  const url = `redis+sentinel://127.0.0.1:${proxy.port}/?name=hooligram`;
  redis = await connectRedis(url, { role: 'command', name: 'test', log: silentLog });
});

afterAll(async () => {
  redis?.disconnect();
  await proxy?.stop();
  await stores?.stop();
});

test('a client that is told to connect again while it asks a Sentinel for the primary does so', async () => {
  proxy.hold('get-master-addr-by-name');
  reconnect(redis);
  await until('the Sentinel is asked', () => proxy.isHolding());
  reconnect(redis);
  proxy.release();
  await until('it is ready', () => redis.status === 'ready');
  expect(await redis.ping()).toBe('PONG');
});
