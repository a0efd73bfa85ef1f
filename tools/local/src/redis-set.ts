import { startRedisCluster } from './redis-cluster.ts';
import { startRedisPair } from './redis-pair.ts';
import { type RedisSet, type RedisSetOptions, startAll } from './redis-servers.ts';

/** So many plain Redis, a Redis Cluster of three masters, or a primary and its replica under three Sentinels. */
export type RedisForm = number | 'cluster' | 'sentinel';

/** How many ports a form takes: a node of a cluster has a second one, for the others. */
export function portsOf(form: RedisForm): number {
  if (form === 'cluster') return 6;
  return form === 'sentinel' ? 5 : form;
}

/** @throws StartError */
export async function startRedisSet(form: RedisForm, options: RedisSetOptions): Promise<RedisSet> {
  if (form === 'cluster') return startRedisCluster(options);
  if (form === 'sentinel') return startRedisPair(options);
  const stores = await startAll(
    options,
    options.ports.map((port, index) => ({ name: index === 0 ? 'redis' : `redis-${index + 1}`, port })),
  );
  return { url: stores.map(({ url }) => url).join(), stores };
}
