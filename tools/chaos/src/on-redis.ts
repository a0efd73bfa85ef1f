import { type Host, type RedisClusterShard, redisAddress } from '@hooligram/service';
import { Redis, type RedisOptions } from 'ioredis';

const slots = 16_384;

type Options = RedisOptions & { replyMapping: 'legacy' };
type Ranges = [first: number, last: number, master: [host: string, port: number]][];

/**
 * Runs `work` on a connection of its own, which does not reconnect.
 * @param url of one Redis, or of a shard of a Redis Cluster
 * @throws Error when the connection fails, and the error of `work`
 */
export async function onRedis<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const { url: plain, cluster, options } = redisAddress(url);
  if (plain !== undefined) return onClient(new Redis(plain, optionsOf(options)), work);
  const node = cluster && (await masterOf(cluster));
  return onClient(new Redis(optionsOf({ ...options, ...node })), work);
}

/** The master of the middle of a shard's part of all slots. */
async function masterOf({ nodes, shard, shards }: RedisClusterShard): Promise<Host> {
  const slot = Math.floor(((shard + 0.5) * slots) / shards);
  const ask = (node: Host) =>
    onClient(new Redis(optionsOf(node)), (client) => client.call('CLUSTER', 'SLOTS') as Promise<Ranges>);
  const ranges = await Promise.any(nodes.map(ask));
  const [host, port] = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2] ?? [];
  if (!host || !port) throw new Error(`no master has slot ${slot}`);
  return { host, port };
}

function optionsOf(options: RedisOptions): Options {
  return {
    ...options,
    replyMapping: 'legacy',
    sentinelRetryStrategy: () => null,
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 5_000,
  };
}

async function onClient<T>(client: Redis, work: (client: Redis) => Promise<T>): Promise<T> {
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}
