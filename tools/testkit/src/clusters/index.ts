export { RedisCluster, type RedisClusterOptions } from './redis-cluster.ts';
