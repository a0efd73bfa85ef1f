import { randomUUID } from 'node:crypto';
import { startRedisClock } from '@hooligram/bus';
import { type ServiceContext, type ServiceDefinition, untilWorks } from '@hooligram/service';
import { coreConfig } from './config.ts';
import type { Context } from './context.ts';
import { announceEpoch, observeEpoch, startEpochWatch } from './database-epoch.ts';
import { Deadlines } from './intake/deadlines.ts';
import { startIntake } from './intake/start-intake.ts';
import { createLimits } from './limits/index.ts';
import { createCoreMetrics } from './metrics.ts';
import { openRetries, type Retries, startRetries } from './retries/start-retries.ts';
import { connectStores, type Stores } from './stores.ts';
import { startChallengeCleaning } from './verification/challenge-cleaning.ts';
import { createCredentialHash } from './verification/credential.ts';
import { createVerificationProvider } from './verification/index.ts';
import { createNumbers } from './verification/numbers.ts';

/** Handles the requests of the gateways. Any number of replicas, all equal; each is a consumer with a new random name. */
export const core: ServiceDefinition<typeof coreConfig, void> = {
  name: 'core',
  summary: 'rules and data of Hooligram: handles the requests of the gateways',
  config: coreConfig,
  start,
};

async function start(service: ServiceContext<typeof coreConfig>): Promise<void> {
  const consumer = randomUUID();
  const provider = createVerificationProvider(service.config, service.log);
  const stores = await connectStores(service, consumer);
  const clocks = await startClocks(service, stores);
  const retries = await openRetries(service, stores, { clock: clocks.clock, consumer });
  const context = createContext(service, { stores, clocks, retries, provider });
  watchDatabase(service, context, stores);
  const scheduleKeeper = await startRetries(service, context, { stores, retries });
  await startIntake(service, context, { redis: stores.redis, consumer, onStreamLost: scheduleKeeper.run });
}

type Clocks = Pick<Context, 'clock' | 'deadlines'>;

async function startClocks(
  { lifecycle }: ServiceContext<typeof coreConfig>,
  { redis, db }: Stores,
): Promise<Clocks> {
  const clock = await untilWorks(lifecycle, 'redis clock', () => startRedisClock(redis.command));
  lifecycle.onClose('clock', () => clock.close());
  const deadlines = await Deadlines.start({ db, readRedis: clock.read });
  lifecycle.onClose('deadlines', () => deadlines.close());
  return { clock, deadlines };
}

function createContext(
  { config, log, metrics }: ServiceContext<typeof coreConfig>,
  parts: { stores: Stores; clocks: Clocks; retries: Retries; provider: Context['provider'] },
): Context {
  const { db, names, publisher, redis } = parts.stores;
  return {
    config,
    log,
    metrics: createCoreMetrics(metrics),
    db,
    names,
    publisher,
    ...parts.clocks,
    deliveryChecks: parts.retries.deliveryChecks,
    startRedeliveries: parts.retries.startRedeliveries,
    limits: createLimits(config, { redis: redis.command, prefix: config.REDIS_PREFIX, log, metrics }),
    numbers: createNumbers(config.NUMBERS),
    provider: parts.provider,
    credentialHash: createCredentialHash(config.CREDENTIAL_KEY),
  };
}

function watchDatabase(
  { lifecycle, metrics }: ServiceContext<typeof coreConfig>,
  context: Context,
  { db, names, publisher, redis }: Stores,
): void {
  const stores = { db, names, redis: redis.command };
  announceEpoch(stores, publisher);
  observeEpoch(metrics, db);
  const epochWatch = startEpochWatch(stores);
  lifecycle.onClose('epoch of the database', () => epochWatch.stop());
  lifecycle.onClose('challenge cleaning', startChallengeCleaning(context));
}
