import { randomUUID } from 'node:crypto';
import {
  type ConnectionRole,
  connectRedis,
  createNames,
  createOutbox,
  startClaims,
  startRedisClock,
  startRequestReader,
} from '@hooligram/bus';
import { openQueues } from '@hooligram/bus/queues';
import type { CoreRequest } from '@hooligram/contract';
import { type Db, openDb } from '@hooligram/db';
import type { ServiceContext, ServiceDefinition } from '@hooligram/service';
import { startChallengeCleaning } from './challenge-cleaning.ts';
import { runClaimed } from './claimed.ts';
import { coreConfig } from './config.ts';
import type { Context } from './context.ts';
import { announceEpoch, observeEpoch, remember, startEpochWatch } from './database-epoch.ts';
import { createIntake } from './intake.ts';
import { createAudits } from './jobs/audits.ts';
import { listenForConfirmations } from './jobs/confirmations.ts';
import { kinds, startJobs } from './jobs/index.ts';
import { createJobMetrics } from './jobs/metrics.ts';
import { startUpkeep } from './jobs/upkeep.ts';
import { createLimits } from './limits.ts';
import { createCoreMetrics } from './metrics.ts';
import { createNumbers } from './numbers.ts';
import { createCredentialHash } from './verification/credential.ts';
import { createVerificationProvider } from './verification/index.ts';

/** Answers what the gateways ask. Any number of replicas, all equal; each is a consumer with a new random name. */
export const core: ServiceDefinition<typeof coreConfig, void> = {
  name: 'core',
  summary: 'rules and data of Hooligram: answers what the gateways ask',
  config: coreConfig,
  start,
};

async function start(service: ServiceContext<typeof coreConfig>): Promise<void> {
  const { config, log, lifecycle } = service;
  const consumer = randomUUID();
  const provider = createVerificationProvider(config, log);

  const redis = async (role: ConnectionRole, use: string = role) => {
    const connection = await connectRedis(config.REDIS_URL, { role, name: `core-${use}-${consumer}`, log });
    lifecycle.onClose(`redis ${use}`, () => connection.disconnect());
    return connection;
  };
  let announce = () => {};
  const db = openDb({
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL,
    statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
    applicationName: 'hooligram-core',
    onConnectionError: (error) => log.warn({ reason: error.message }, 'database connection'),
    onEpoch(epoch, hasBegun) {
      log.warn({ epoch, hasBegun }, 'the database has come back with another history: a new epoch');
      announce();
    },
  });
  lifecycle.onClose('database', () => db.close());
  const names = createNames(config.REDIS_PREFIX, () => db.epoch.current);
  const [command, blocking, queueRedis, subscriber] = await Promise.all([
    redis('command'),
    redis('blocking'),
    redis('command', 'queues'),
    redis('subscriber'),
  ]);

  remember({ db }, await command.hgetall(names.databaseEpoch));
  await pingDatabase(db);
  const clock = await startRedisClock(command);
  lifecycle.onClose('clock', () => clock.close());
  const outbox = createOutbox({
    redis: command,
    stream: names.requests,
    group: names.cores,
    channelOf: names.gateway,
    log,
  });
  const metrics = createCoreMetrics(service.metrics);
  const jobMetrics = createJobMetrics(service.metrics);
  const queues = openQueues({
    redis: queueRedis,
    prefix: names.queues,
    names: kinds.map(({ name }) => name),
    log,
  });
  lifecycle.onClose('queues', () => queues.close());
  const confirmations = await listenForConfirmations({ subscriber, channel: names.core(consumer), log });
  lifecycle.onClose('confirmations', () => confirmations.close());
  const context: Context = {
    config,
    log,
    metrics,
    db,
    outbox,
    names,
    redis: command,
    clock,
    queues,
    queueRedis,
    jobMetrics,
    audits: createAudits({ queues, deadlineMs: config.DELIVERY_ACK_DEADLINE_MS, metrics: jobMetrics }),
    confirmations,
    limits: createLimits(config, {
      redis: command,
      prefix: config.REDIS_PREFIX,
      log,
      metrics: service.metrics,
    }),
    numbers: createNumbers(config.NUMBERS),
    provider,
    credentialHash: createCredentialHash(config.CREDENTIAL_KEY),
  };
  announce = () => announceEpoch(context);
  announce();
  observeEpoch(service.metrics, db);
  const epochWatch = startEpochWatch(context);
  lifecycle.onClose('epoch of the database', () => epochWatch.stop());
  lifecycle.onClose('challenge cleaning', startChallengeCleaning(context));
  const workers = await startJobs(context);
  lifecycle.onClose('jobs', () => workers.close());
  const upkeep = startUpkeep(context);
  lifecycle.onClose('upkeep of the queues', () => upkeep.stop());

  function onUnreadable(id: string, reason: string): void {
    log.error({ entry: id, reason }, 'unreadable entry put aside');
    metrics.entryUnreadable();
    outbox.finish(id);
  }
  const intake = createIntake(context);
  const source = { stream: names.requests, group: names.cores, consumer, log, onUnreadable };
  const claims = startClaims<CoreRequest>({
    ...source,
    redis: command,
    idleMs: config.CLAIM_IDLE_MS,
    everyMs: config.CLAIM_EVERY_MS,
    own: intake.own,
    onEntry: (entry, deliveries) => runClaimed(context, entry, deliveries),
  });
  // Closed in reverse: nothing new is taken, what is under way ends, and is touched until then.
  lifecycle.onClose('claimed entries', () => claims.close());
  lifecycle.onClose('requests under way', () => intake.idle());
  lifecycle.onClose('claims', () => claims.stop());
  const reader = await startRequestReader<CoreRequest>({
    ...source,
    blocking,
    command,
    entriesMax: config.CORE_ENTRIES_MAX,
    room: intake.room,
    onEntry: intake.take,
    onStreamLost() {
      log.warn('the request stream was lost; gateways are asked to write again');
      outbox.publish(names.gateways, 'lost');
      // The queues went with it, and nobody need have been disconnected.
      upkeep.run();
    },
  });
  lifecycle.onClose('request reader', () => reader.stop());
  lifecycle.check('redis', async () => {
    const connections = { command, blocking, queueRedis, subscriber };
    const broken = Object.entries(connections).find(([, { status }]) => status !== 'ready');
    if (broken) return `${broken[0]}: not connected`;
    // A Redis that is there and does not answer: the check has a time limit.
    await command.ping();
    return true;
  });
  lifecycle.check('database', () => pingDatabase(db));
}

async function pingDatabase(db: Db): Promise<true> {
  await db.pool.query('SELECT 1');
  return true;
}
