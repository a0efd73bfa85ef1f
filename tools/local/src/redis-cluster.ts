import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './ports.ts';
import { askRedis } from './redis-connection.ts';
import { checkClusterProgram } from './redis-program.ts';
import { type RedisSet, type RedisSetOptions, startAll } from './redis-servers.ts';
import { StartError } from './start-error.ts';

const masters = 3;
const slots = 16_384;
const lookEveryMs = 50;
const readyTimeoutMs = 60_000;

/**
 * Starts a Redis Cluster: three masters with a third of all slots each. They have no replicas, because one that dies is
 * started again, with its data. A cluster that ran before finds itself again, on other ports, too.
 * @returns when all know each other
 * @throws StartError
 */
export async function startRedisCluster(options: RedisSetOptions): Promise<RedisSet> {
  await checkClusterProgram(options.log);
  const busPorts = await Promise.all(options.ports.slice(masters).map(freePort));
  const stores = await startAll(
    options,
    busPorts.map((busPort, index) => ({
      name: `redis-node-${index + 1}`,
      port: options.ports[index] as number,
      settings: {
        'cluster-enabled': 'yes',
        'cluster-port': String(busPort),
        // A third that is away does not stop the others.
        'cluster-require-full-coverage': 'no',
      },
    })),
  );
  const ports = stores.map(({ url }) => Number(new URL(url).port));
  await join(ports, busPorts, options.signal);
  const hosts = ports.map((port) => `127.0.0.1:${port}`);
  return { url: `redis+cluster://${hosts.join(',')}/?shards=${masters}`, stores };
}

async function join(ports: readonly number[], busPorts: readonly number[], signal: AbortSignal) {
  for (const [third, port] of ports.entries()) {
    if (await hasSlots(port)) continue;
    await askRedis(port, async (redis) => {
      await redis.cluster('ADDSLOTSRANGE', startOf(third), startOf(third + 1) - 1);
      // Two masters of one epoch would argue. One that knows others has its own already.
      await redis.cluster('SET-CONFIG-EPOCH', third + 1).catch(() => undefined);
    });
  }
  // Also those that know each other: ports may have changed.
  for (const port of ports) {
    await askRedis(port, async (redis) => {
      for (const [third, other] of ports.entries())
        if (other !== port)
          await redis.call('CLUSTER', 'MEET', '127.0.0.1', other, busPorts[third] as number);
    });
  }
  const givesUpAt = Date.now() + readyTimeoutMs;
  while (!(await Promise.all(ports.map((port) => knowsAll(port, ports)))).every(Boolean)) {
    if (Date.now() > givesUpAt)
      throw new StartError(
        `the nodes of the Redis Cluster do not find each other after ${readyTimeoutMs / 1_000} s: see redis-node-*.log`,
      );
    await pause(lookEveryMs, undefined, { signal });
  }
}

function startOf(third: number): number {
  return Math.ceil((third * slots) / masters);
}

/** Whether a node has slots of its own, from an earlier start. */
async function hasSlots(port: number): Promise<boolean> {
  const nodes = await askRedis(port, (redis) => redis.cluster('NODES') as Promise<string>);
  const own = nodes.split('\n').find((line) => line.includes('myself')) ?? '';
  // Behind eight fields come the slots.
  return own.trim().split(' ').length > 8;
}

/** Whether a node knows all nodes where they are now, and serves. */
async function knowsAll(port: number, ports: readonly number[]): Promise<boolean> {
  const [info, nodes] = await askRedis(port, async (redis) => [
    String(await redis.cluster('INFO')),
    String(await redis.cluster('NODES')),
  ]).catch(() => ['', '']);
  const lines = nodes?.trim().split('\n') ?? [];
  const isWell = (line: string) => /\bconnected\b/.test(line) && !/fail|handshake|noaddr/.test(line);
  return (
    /cluster_state:ok/.test(info ?? '') &&
    lines.length === ports.length &&
    lines.every(isWell) &&
    ports.every((each) => nodes?.includes(`:${each}@`))
  );
}
