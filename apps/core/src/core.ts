import { randomUUID } from 'node:crypto';
import { DeadRequests } from '@hooligram/bus';
import { contractVersion, encodeStopping } from '@hooligram/contract';
import {
  createTraceMetrics,
  openTracer,
  redisAddresses,
  release,
  type ServiceDefinition,
  type Tracer,
} from '@hooligram/service';
import { createBacklogMetrics, startBacklogWatch } from './backlog.ts';
import { type CoreService, coreConfig } from './config.ts';
import type { Context } from './context.ts';
import { announceEpoch, observeDatabase, startEpochWatch } from './database-epoch.ts';
import { Intakes } from './intake/start-intake.ts';
import { createLimits } from './limits/index.ts';
import { createLimitMetrics } from './limits/limit.ts';
import { createUserLimitCounter, createUserLimits } from './limits/user-limits.ts';
import { type CoreMetrics, createCoreMetrics, createDatabaseGauges } from './metrics.ts';
import { createReplicaMetrics } from './replica/metrics.ts';
import { startReplica } from './replica/start-replica.ts';
import { RequestTraces } from './request-traces.ts';
import { createJobMetrics } from './retries/metrics.ts';
import { Retries } from './retries/start-retries.ts';
import { countListenersOf } from './shards/count-listeners.ts';
import { createRestartMetrics, startRestartWatch } from './store-restarts.ts';
import { connectStores, type Stores } from './stores.ts';
import { createUpkeepMetrics } from './upkeep/metrics.ts';
import { startUpkeep } from './upkeep/start-upkeep.ts';
import { startChallengeCleaning } from './verification/challenge-cleaning.ts';
import { createCredentials, credentialKeys } from './verification/credential.ts';
import { createVerificationProvider } from './verification/index.ts';
import { meteredProvider } from './verification/metered.ts';
import { createNumbers } from './verification/numbers.ts';
import type { VerificationProvider } from './verification/provider.ts';

/** Handles the requests of the gateways. Any number of replicas, all equal; each is a consumer with a new random name. */
export const core: ServiceDefinition<typeof coreConfig> = {
  name: 'core',
  summary: 'rules and data of Hooligram: handles the requests of the gateways',
  config: coreConfig,
  metrics(all) {
    createCoreMetrics(all);
    createDatabaseGauges(all);
    createReplicaMetrics(all);
    createBacklogMetrics(all);
    createRestartMetrics(all);
    createJobMetrics(all);
    createUpkeepMetrics(all);
    createLimitMetrics(all);
    createUserLimitCounter(all);
    createTraceMetrics(all);
  },
  start,
};

async function start(service: CoreService): Promise<void> {
  const consumer = randomUUID();
  const { REDIS_URL, CODE_COUNTRY_CODES } = service.config;
  const metrics = createCoreMetrics(service.metrics, redisAddresses(REDIS_URL).length, CODE_COUNTRY_CODES);
  service.reportBuild({ version: release, contract: String(contractVersion) });
  const tracer = await openTracer('core', service);
  const provider = meteredProvider(await createVerificationProvider(service.config, service.log), metrics);
  const stores = await connectStores(service, consumer, metrics);
  const retries = new Retries(service, stores, consumer);
  const replica = startReplica(service, stores.db, metrics);
  const context = createContext(service, { ...stores, replica }, retries, provider, metrics, tracer);
  const backlog = startBacklogWatch(stores, createBacklogMetrics(service.metrics));
  service.lifecycle.onClose('backlog watch', () => backlog.close());
  const restarts = startRestartWatch(
    stores,
    createRestartMetrics(service.metrics, stores.shards.placement.shards),
  );
  service.lifecycle.onClose('restart watch', () => restarts.close());
  watchDatabase(service, context, stores);
  const { shards, publisher, names } = stores;
  const intakes = new Intakes(service, context, { stores, consumer });
  shards.makeGood = async (shard) => {
    service.log.warn(
      { redis: shard, see: 'docs/runbook.md#redisaway' },
      'a Redis is back; gateways are asked to look for what they missed',
    );
    publisher.announce(names.gateways, 'missed', shard);
    await retries.sweep();
  };
  await shards.start(async (shard) => {
    retries.open(shard);
    await retries.listen(shard, metrics);
    const scheduleKeeper = retries.start(context, shard);
    await intakes.begin(shard, scheduleKeeper.run);
  });
  service.nodes.is(consumer);
  service.lifecycle.onClose('goodbye', async () => {
    if (service.lifecycle.isFailing) return;
    // While Redis is away nobody hears it.
    await shards.onEach((redis) => redis.publish(names.nodes, encodeStopping(consumer))).catch(() => {});
  });
}

function createContext(
  { config, log, metrics: all }: CoreService,
  { db, replica, names, publisher, clock, deadlines, shards }: Stores & Pick<Context, 'replica'>,
  { deliveryChecks, startRedeliveries }: Retries,
  provider: VerificationProvider,
  metrics: CoreMetrics,
  tracer: Tracer | undefined,
): Context {
  const credentials = createCredentials(credentialKeys(config.CREDENTIAL_KEY));
  const forLimits = { log, metrics: all };
  return {
    config,
    log,
    metrics,
    db,
    replica,
    names,
    publisher,
    countListeners: (channels) => countListenersOf(shards, names, channels),
    async keepDeadRequest(request) {
      const { redis, names: keys } = shards.first();
      await new DeadRequests(redis.command, keys.deadRequests).keep(request);
    },
    clock,
    deadlines,
    deliveryChecks,
    startRedeliveries,
    limits: createLimits(config, credentials, {
      ...forLimits,
      shardOf: (key) => shards.at(shards.placement.ofName(key)),
    }),
    userLimits: config.LIMITS_ENABLED
      ? createUserLimits(config, { ...forLimits, shardOf: (id) => shards.of(id) })
      : undefined,
    numbers: createNumbers(config.NUMBERS, config.CODE_COUNTRY_CODES),
    provider,
    credentials,
    traces: tracer && new RequestTraces({ tracer, publisher, names }),
  };
}

function watchDatabase({ lifecycle, metrics }: CoreService, context: Context, stores: Stores): void {
  const { db, publisher } = stores;
  announceEpoch(stores, publisher);
  observeDatabase(metrics, db);
  const epochWatch = startEpochWatch(stores);
  lifecycle.onClose('epoch of the database', () => epochWatch.close());
  lifecycle.onClose('challenge cleaning', startChallengeCleaning(context));
  lifecycle.onClose('upkeep', startUpkeep(context, createUpkeepMetrics(metrics)));
}
