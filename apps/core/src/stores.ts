import {
  type BusPublisher,
  type Channels,
  type ConnectionRole,
  connectRedis,
  createNames,
  createSignatures,
  Publisher,
  type RedisClock,
  ShardedPublisher,
  type Signatures,
  startClock,
  startRedisClock,
  tagOfAddress,
} from '@hooligram/bus';
import { type Db, readClock } from '@hooligram/db';
import { redisAddresses, untilWorks } from '@hooligram/service';
import type { CoreService } from './config.ts';
import { connectDatabase, inspectDatabase } from './database.ts';
import { announceEpoch, readRemembered } from './database-epoch.ts';
import { Deadlines, databaseDeadlines } from './intake/deadlines.ts';
import { refusalInstead } from './intake/reply.ts';
import type { CoreMetrics } from './metrics.ts';
import type { Connections, EntryDeadlines, Shard } from './shards/shard.ts';
import { Shards } from './shards/shards.ts';

export type Stores = {
  readonly shards: Shards;
  readonly db: Db;
  readonly names: Channels;
  readonly publisher: BusPublisher;
  /** By which the core goes: that of Redis; with several Redis, that of the database. */
  readonly clock: RedisClock;
  readonly deadlines: Pick<Deadlines, 'of' | 'ofBatch'>;
  /** @returns how the deadlines of this Redis's entries are to be read, once its clock is known */
  deadlinesOf(shard: Shard): Promise<EntryDeadlines>;
  readonly signatures: Signatures | undefined;
};

/**
 * Connects to Redis and Postgres, waits until both can do their work, and follows their clocks. From then on both are
 * conditions of readiness.
 *
 * @param consumer the name of this process among the cores
 */
export async function connectStores(
  service: CoreService,
  consumer: string,
  metrics: CoreMetrics,
): Promise<Stores> {
  const { config, lifecycle, log } = service;
  const signatures = createSignatures(config.BUS_SIGNING_KEYS);
  const session = await inspectDatabase(service);
  const shards = new Shards(service, redisAddresses(config.REDIS_URL));
  if (!shards.isOne) metrics.redis.working.read(() => shards.working);
  // None of the names that are used before the database is connected depends on its epoch.
  const channels = createNames(config.REDIS_PREFIX);
  const several = shards.isOne ? undefined : new ShardedPublisher(shards.placement, shards.states);
  const publisherOf = ({ index, redis, names }: Shard) =>
    new Publisher({
      redis: redis.command,
      names: { ...names, gateway: channels.gateway },
      refuse: refusalInstead,
      log,
      ...(several && { onFailed: () => shards.states[index]?.miss() }),
    });
  await shards.connect(async (address, index, own) => {
    const shard = await connectShard(own, { address, index, consumer, signatures, metrics });
    several?.join(index, publisherOf(shard));
    return shard;
  });
  const publisher = several ?? publisherOf(shards.first());
  // What Redis remembers of the database's history has to be known before a connection to the database is used.
  const remembered = await untilWorks(lifecycle, 'redis memory', () => readRemembered(shards));
  const onEpoch = (db: Db) => announceEpoch({ db, shards, names: channels }, publisher);
  const db = await connectDatabase(service, { session, remembered, metrics, onEpoch });
  return {
    shards,
    db,
    names: createNames(config.REDIS_PREFIX, () => db.epoch.current),
    publisher,
    ...(await followClocks(service, shards, db)),
    signatures,
  };
}

/** One connection after the other: while Redis is away, the log says it once. */
async function connectShard(
  service: CoreService,
  {
    address,
    index,
    consumer,
    signatures,
    metrics,
  }: {
    address: string;
    index: number;
    consumer: string;
    signatures: Signatures | undefined;
    metrics: CoreMetrics;
  },
): Promise<Shard> {
  const { config, lifecycle, log } = service;
  lifecycle.check('redis', () => 'not connected');
  const connect = async (role: ConnectionRole, use: string = role) => {
    const connection = await connectRedis(address, {
      role,
      name: `core-${use}-${consumer}`,
      log,
      signal: lifecycle.stopping,
      isPatient: true,
      caFile: config.REDIS_CA_FILE,
      signatures,
    });
    lifecycle.onClose(`redis ${use}`, () => connection.disconnect());
    metrics.redis.watch(use, connection, index);
    return connection;
  };
  const redis: Connections = {
    command: await connect('command'),
    blocking: await connect('blocking'),
    queues: await connect('command', 'queues'),
    subscriber: await connect('subscriber'),
  };
  lifecycle.check('redis', () => {
    const broken = Object.entries(redis).find(([, { status }]) => status !== 'ready');
    return broken ? `${broken[0]}: not connected` : true;
  });
  const clock = await untilWorks(lifecycle, 'redis clock', () => startRedisClock(redis.command));
  lifecycle.onClose('clock', () => clock.close());
  const names = createNames(config.REDIS_PREFIX, undefined, tagOfAddress(address));
  return { index, redis, names, clock, service };
}

/**
 * With one Redis the core goes by its clock, as the deadlines of all entries do. The clocks of several differ: then it goes by the
 * database's, and what an entry brings is converted once.
 */
async function followClocks(
  { lifecycle }: CoreService,
  shards: Shards,
  db: Db,
): Promise<Pick<Stores, 'clock' | 'deadlines' | 'deadlinesOf'>> {
  async function measure({ service, clock }: Pick<Shard, 'service' | 'clock'>): Promise<Deadlines> {
    const deadlines = await Deadlines.start({ db, readRedis: clock.read });
    service.lifecycle.onClose('deadlines', () => deadlines.close());
    return deadlines;
  }
  if (shards.isOne) {
    const only = shards.first();
    const deadlines = await measure(only);
    const ofEntries: EntryDeadlines = {
      of: (deadline) => deadline,
      latestOf: (deadline) => deadlines.latestOf({ deadline }),
    };
    return { clock: only.clock, deadlines, deadlinesOf: async () => ofEntries };
  }
  const clock = await untilWorks(lifecycle, 'database clock', () => startClock(() => readClock(db)));
  lifecycle.onClose('clock', () => clock.close());
  return {
    clock,
    deadlines: databaseDeadlines,
    async deadlinesOf(shard) {
      const deadlines = await untilWorks(shard.service.lifecycle, 'deadlines', () => measure(shard));
      return {
        of: (deadline) => deadlines.of({ deadline }) ?? Number.POSITIVE_INFINITY,
        latestOf: (deadline) => deadlines.latestOf({ deadline }),
      };
    },
  };
}
