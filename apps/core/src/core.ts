import { randomUUID } from 'node:crypto';
import { countListeners } from '@hooligram/bus';
import type { ServiceDefinition } from '@hooligram/service';
import { type CoreService, coreConfig } from './config.ts';
import type { Context } from './context.ts';
import { announceEpoch, observeEpoch, startEpochWatch } from './database-epoch.ts';
import { startIntake } from './intake/start-intake.ts';
import { createLimits } from './limits/index.ts';
import { createCoreMetrics } from './metrics.ts';
import { openRetries, type Retries, startRetries } from './retries/start-retries.ts';
import { connectStores, type Stores } from './stores.ts';
import { startChallengeCleaning } from './verification/challenge-cleaning.ts';
import { createCredentials, credentialKeys } from './verification/credential.ts';
import { createVerificationProvider } from './verification/index.ts';
import { createNumbers } from './verification/numbers.ts';
import type { VerificationProvider } from './verification/provider.ts';

/** Handles the requests of the gateways. Any number of replicas, all equal; each is a consumer with a new random name. */
export const core: ServiceDefinition<typeof coreConfig> = {
  name: 'core',
  summary: 'rules and data of Hooligram: handles the requests of the gateways',
  config: coreConfig,
  start,
};

async function start(service: CoreService): Promise<void> {
  const consumer = randomUUID();
  const provider = createVerificationProvider(service.config, service.log);
  const stores = await connectStores(service, consumer);
  const retries = await openRetries(service, stores, consumer);
  const context = createContext(service, stores, retries, provider);
  watchDatabase(service, context, stores);
  const scheduleKeeper = await startRetries(service, context, stores, retries);
  await startIntake(service, context, { redis: stores.redis, consumer, onStreamLost: scheduleKeeper.run });
}

function createContext(
  { config, log, metrics }: CoreService,
  { db, names, publisher, clock, deadlines, redis }: Stores,
  { deliveryChecks, startRedeliveries }: Retries,
  provider: VerificationProvider,
): Context {
  const credentials = createCredentials(credentialKeys(config.CREDENTIAL_KEY));
  return {
    config,
    log,
    metrics: createCoreMetrics(metrics),
    db,
    names,
    publisher,
    countListeners: (channels) => countListeners(redis.command, channels),
    clock,
    deadlines,
    deliveryChecks,
    startRedeliveries,
    limits: createLimits(config, credentials, {
      redis: redis.command,
      prefix: config.REDIS_PREFIX,
      log,
      metrics,
    }),
    numbers: createNumbers(config.NUMBERS, config.CODE_COUNTRY_CODES),
    provider,
    credentials,
  };
}

function watchDatabase({ lifecycle, metrics }: CoreService, context: Context, stores: Stores): void {
  const { db, names, publisher } = stores;
  const epochStores = { db, names, redis: stores.redis.command };
  announceEpoch(epochStores, publisher);
  observeEpoch(metrics, db);
  const epochWatch = startEpochWatch(epochStores);
  lifecycle.onClose('epoch of the database', () => epochWatch.close());
  lifecycle.onClose('challenge cleaning', startChallengeCleaning(context));
}
