import {
  type ConnectionRole,
  connectRedis,
  createNames,
  createSignatures,
  Publisher,
  type Signatures,
  startRedisClock,
} from '@hooligram/bus';
import type { Db } from '@hooligram/db';
import { untilWorks } from '@hooligram/service';
import type { Redis } from 'ioredis';
import type { CoreService } from './config.ts';
import { connectDatabase, inspectDatabase } from './database.ts';
import { announceEpoch, readRemembered } from './database-epoch.ts';
import { Deadlines } from './intake/deadlines.ts';
import { refusalInstead } from './intake/reply.ts';
import type { CoreMetrics } from './metrics.ts';

export type Stores = Awaited<ReturnType<typeof connectStores>>;

/**
 * Connects to Redis and Postgres, waits until both can do their work, and follows their clocks. From then on both are
 * conditions of readiness.
 *
 * @param consumer the name of this process among the cores
 */
export async function connectStores(service: CoreService, consumer: string, metrics: CoreMetrics) {
  const { config, log, lifecycle } = service;
  const signatures = createSignatures(config.BUS_SIGNING_KEYS);
  const connect = (role: ConnectionRole, use: string = role) =>
    connectOne(service, { role, use, consumer, signatures });
  const session = await inspectDatabase(service);
  lifecycle.check('redis', () => 'not connected');
  // One connection after the other: while Redis is away, the log says it once.
  const command = await connect('command');
  // None of the names that are used before the database is connected depends on its epoch.
  const names = createNames(config.REDIS_PREFIX);
  const publisher = new Publisher({
    redis: command,
    stream: names.requests,
    group: names.cores,
    channelOf: names.gateway,
    refuse: refusalInstead,
    log,
  });
  // What Redis remembers of the database's history has to be known before a connection to the database is used.
  const remembered = await untilWorks(lifecycle, 'redis memory', () => readRemembered(command, names));
  const onEpoch = (db: Db) => announceEpoch({ db, redis: command, names }, publisher);
  const db = await connectDatabase(service, { session, remembered, metrics, onEpoch });
  // Each connection has one use.
  const redis = {
    command,
    blocking: await connect('blocking'),
    queues: await connect('command', 'queues'),
    subscriber: await connect('subscriber'),
  };
  for (const [connection, client] of Object.entries(redis)) metrics.redis.watch(connection, client);
  lifecycle.check('redis', () => {
    const broken = Object.entries(redis).find(([, { status }]) => status !== 'ready');
    return broken ? `${broken[0]}: not connected` : true;
  });
  const clock = await untilWorks(lifecycle, 'redis clock', () => startRedisClock(command));
  lifecycle.onClose('clock', () => clock.close());
  const deadlines = await Deadlines.start({ db, readRedis: clock.read });
  lifecycle.onClose('deadlines', () => deadlines.close());
  const namesOfEpoch = createNames(config.REDIS_PREFIX, () => db.epoch.current);
  return { redis, db, names: namesOfEpoch, publisher, clock, deadlines, signatures };
}

async function connectOne(
  { config, log, lifecycle }: CoreService,
  {
    role,
    use,
    consumer,
    signatures,
  }: { role: ConnectionRole; use: string; consumer: string; signatures: Signatures | undefined },
): Promise<Redis> {
  const connection = await connectRedis(config.REDIS_URL, {
    role,
    name: `core-${use}-${consumer}`,
    log,
    signal: lifecycle.stopping,
    isPatient: true,
    caFile: config.REDIS_CA_FILE,
    signatures,
  });
  lifecycle.onClose(`redis ${use}`, () => connection.disconnect());
  return connection;
}
