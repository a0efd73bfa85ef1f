import { connectRedis } from '@hooligram/bus';
import { type OwnRedis, ownRedis, silentLog, until } from '@hooligram/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RedisCpu, readCpu } from './redis-cpu.ts';

let servers: readonly OwnRedis[];
const clients: Redis[] = [];

beforeAll(async () => {
  servers = await Promise.all([ownRedis(), ownRedis()]);
});
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await Promise.all(servers.map((server) => server.stop()));
});

async function connectTo(server: number): Promise<Redis> {
  const url = servers[server]?.url ?? '';
  const client = await connectRedis(url, { role: 'command', name: 'test', log: silentLog });
  clients.push(client);
  return client;
}

const look = async (cpu: RedisCpu, ...redises: readonly Redis[]) =>
  cpu.add(await Promise.allSettled(redises.map(readCpu)));
const secondsOf = async (redis: Redis) => (await readCpu(redis))?.seconds ?? 0;
/** Has a server use some tenths of a second of CPU, in pieces so short that a busy machine answers each in time. */
async function work(redis: Redis): Promise<void> {
  const enough = (await secondsOf(redis)) + 0.2;
  while ((await secondsOf(redis)) < enough)
    await redis.eval('local n = 0 for i = 1, 1e6 do n = n + i end return n', 0);
}

test('a server is counted from the look on that finds it, also by a connection that had another one before', async () => {
  const cpu = new RedisCpu();
  const client = await connectTo(0);
  const other = await connectTo(1);
  await work(other);
  const before = await secondsOf(other);
  expect(before).toBeGreaterThan((await secondsOf(client)) + 0.05);
  expect(await look(cpu, client)).toBe(0);
  await work(client);
  expect(await look(cpu, client)).toBeGreaterThan(0.05);

  // As after a failover.
  client.options.port = other.options.port as number;
  client.disconnect(true);
  await until('the connection leads to the other server', async () => {
    const [one, two] = await Promise.all(
      [client, other].map((redis) => readCpu(redis).catch(() => undefined)),
    );
    return one !== undefined && one.runId === two?.runId;
  });
  expect(await look(cpu, client)).toBe(0);
  await work(client);
  const used = await look(cpu, client);
  expect(used).toBeGreaterThan(0.05);
  expect(used).toBeLessThanOrEqual((await secondsOf(other)) - before);
});

test('a server that several connections lead to is counted once', async () => {
  const cpu = new RedisCpu();
  const both = [await connectTo(0), await connectTo(0)];
  const [client] = both as [Redis];
  const before = await secondsOf(client);
  await look(cpu, ...both);
  await work(client);
  const used = await look(cpu, ...both);
  expect(used).toBeGreaterThan(0.05);
  expect(used).toBeLessThanOrEqual((await secondsOf(client)) - before);
});

test('a server that says nothing for a look is counted with its next answer', async () => {
  const cpu = new RedisCpu();
  const client = await connectTo(0);
  await look(cpu, client);
  expect(cpu.add([{ status: 'rejected', reason: new Error('away') }])).toBe(0);
  await work(client);
  expect(await look(cpu, client)).toBeGreaterThan(0.05);
});
