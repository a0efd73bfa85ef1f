import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePorts, ownSentinel, patienceMs, type SentinelSet, silentLog, until } from '@hooligram/testkit';
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

test('a Sentinel that is not there leaves no line on the console', async () => {
  const [nobody] = await freePorts(1);
  const url = stores.url.replace('/?', `,127.0.0.1:${nobody}/?`);
  // A process of its own: in Jest's an error of Node is none of ioredis' errors, which it would write.
  const program = `import { connectRedis } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    const log = { info() {}, warn() {}, error() {} };
    const redis = await connectRedis(${JSON.stringify(url)}, { role: 'command', name: 'test', log });
    const isTried = () =>
      redis.connector.failoverDetector?.sentinels.some(({ client }) => client.status === 'reconnecting');
    while (!isTried()) await new Promise((resolve) => setImmediate(resolve));
    console.log(await redis.ping());
    process.exit();`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { timeout: patienceMs },
  );
  expect([stdout, stderr]).toEqual(['PONG\n', '']);
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
