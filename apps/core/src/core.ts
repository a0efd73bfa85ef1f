import { randomUUID } from 'node:crypto';
import {
  type ConnectionRole,
  connectRedis,
  createNames,
  createOutbox,
  startRequestReader,
} from '@hooligram/bus';
import type { CoreRequest } from '@hooligram/contract';
import { type Db, openDb } from '@hooligram/db';
import type { ServiceContext, ServiceDefinition } from '@hooligram/service';
import { startChallengeCleaning } from './challenge-cleaning.ts';
import { coreConfig } from './config.ts';
import type { Context } from './context.ts';
import { createIntake } from './intake.ts';
import { createLimits } from './limits.ts';
import { createCoreMetrics } from './metrics.ts';
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
  const names = createNames(config.REDIS_PREFIX);

  const redis = async (role: ConnectionRole) => {
    const connection = await connectRedis(config.REDIS_URL, { role, name: `core-${role}-${consumer}`, log });
    lifecycle.onClose(`redis ${role}`, () => connection.disconnect());
    return connection;
  };
  const db = openDb({
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL,
    statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
    applicationName: 'hooligram-core',
    onConnectionError: (error) => log.warn({ reason: error.message }, 'database connection'),
  });
  lifecycle.onClose('database', () => db.close());
  await pingDatabase(db);
  const [command, blocking] = await Promise.all([redis('command'), redis('blocking')]);

  const outbox = createOutbox({
    redis: command,
    stream: names.requests,
    group: names.cores,
    channelOf: names.gateway,
    log,
  });
  const metrics = createCoreMetrics(service.metrics);
  const context: Context = {
    config,
    log,
    metrics,
    db,
    outbox,
    names,
    limits: createLimits(config, {
      redis: command,
      prefix: config.REDIS_PREFIX,
      log,
      metrics: service.metrics,
    }),
    provider,
    credentialHash: createCredentialHash(config.CREDENTIAL_KEY),
  };
  lifecycle.onClose('challenge cleaning', startChallengeCleaning(context));

  const intake = createIntake(context);
  lifecycle.onClose('requests under way', () => intake.idle());
  const reader = await startRequestReader<CoreRequest>({
    blocking,
    command,
    stream: names.requests,
    group: names.cores,
    consumer,
    entriesMax: config.CORE_ENTRIES_MAX,
    room: intake.room,
    onEntry: intake.take,
    onUnreadable(id, reason) {
      log.error({ entry: id, reason }, 'unreadable entry put aside');
      metrics.entryUnreadable();
      outbox.finish(id);
    },
    log,
  });
  lifecycle.onClose('request reader', () => reader.stop());
  lifecycle.check(
    'redis',
    () => (command.status === 'ready' && blocking.status === 'ready') || 'not connected',
  );
  lifecycle.check('database', () => pingDatabase(db));
}

async function pingDatabase(db: Db): Promise<true> {
  await db.pool.query('SELECT 1');
  return true;
}
