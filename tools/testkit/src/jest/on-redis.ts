import { type RedisSetName, redisSets } from '../redis-sets.ts';
import { useRedis } from './use-redis.ts';

// Loaded before each test file by `npm test -- --redis <form>`.
const name = process.env.HOOLIGRAM_TEST_REDIS ?? '';
if (!Object.hasOwn(redisSets, name)) {
  throw new Error(`--redis takes ${Object.keys(redisSets).join(' or ')}, not "${name}"`);
}
useRedis(name as RedisSetName);
