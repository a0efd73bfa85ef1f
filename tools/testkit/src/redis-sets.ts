import { ownCluster } from './own-cluster.ts';
import { ownRedis } from './own-redis.ts';
import { ownSentinel } from './own-sentinel.ts';

/** All that REDIS_URL names, for one test file alone. */
export type RedisSet = {
  readonly url: string;
  /** One of them dies. Resolves when everything that it had can be reached again, there or elsewhere. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
};

/** By the form that REDIS_URL has. */
export const redisSets = {
  list: twoRedis,
  sentinel: sentinelPair,
  cluster: threeMasters,
} satisfies Record<string, () => Promise<RedisSet>>;

export type RedisSetName = keyof typeof redisSets;

/** Two that know nothing of each other. They die in turn, and come back with their data. */
async function twoRedis(): Promise<RedisSet> {
  const both = await Promise.all([ownRedis(), ownRedis()]);
  let failovers = 0;
  return {
    url: both.map(({ url }) => url).join(),
    async failOver() {
      const dying = both[failovers % 2] as (typeof both)[number];
      failovers += 1;
      await dying.kill();
      await dying.start();
    },
    async stop() {
      await Promise.all(both.map((each) => each.stop()));
    },
  };
}

/** A primary and its replica, which takes its place. */
async function sentinelPair(): Promise<RedisSet> {
  const set = await ownSentinel();
  return {
    url: set.url,
    async failOver() {
      // Without a replica nobody could take over.
      await set.whole();
      await set.killPrimary();
      await set.revive();
    },
    stop: () => set.stop(),
  };
}

/** Three masters and their replicas, which take their places in turn. */
async function threeMasters(): Promise<RedisSet> {
  const cluster = await ownCluster();
  let failovers = 0;
  return {
    url: cluster.url,
    async failOver() {
      // Without a replica nobody could take over.
      await cluster.whole();
      await cluster.killMaster(failovers % 3);
      failovers += 1;
      await cluster.revive();
    },
    stop: () => cluster.stop(),
  };
}
