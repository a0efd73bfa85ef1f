import { randomUUID } from 'node:crypto';
import {
  type ConnectionRole,
  connectRedis,
  createNames,
  type Echo,
  Publisher,
  reconnect,
  startClaims,
  startEcho,
  startRedisClock,
  startRequestReader,
  type Unreadable,
} from '@hooligram/bus';
import { openQueues } from '@hooligram/bus/queues';
import { type ServiceContext, type ServiceDefinition, untilWorks } from '@hooligram/service';
import { coreConfig } from './config.ts';
import type { Context } from './context.ts';
import { connectDatabase, inspectDatabase } from './database.ts';
import { announceEpoch, observeEpoch, readRemembered, startEpochWatch } from './database-epoch.ts';
import { runClaimed } from './intake/claimed-entries.ts';
import { startDeadlines } from './intake/deadlines.ts';
import { createIntake } from './intake/intake.ts';
import { createLimits } from './limits/index.ts';
import { createCoreMetrics } from './metrics.ts';
import { createAudits } from './retries/delivery-check-schedule.ts';
import { kinds, startJobs } from './retries/index.ts';
import { createJobMetrics } from './retries/metrics.ts';
import { listenForConfirmations } from './retries/redelivery-replies.ts';
import { startUpkeep } from './retries/schedule-keeper.ts';
import { startChallengeCleaning } from './verification/challenge-cleaning.ts';
import { createCredentialHash } from './verification/credential.ts';
import { createVerificationProvider } from './verification/index.ts';
import { createNumbers } from './verification/numbers.ts';

/** Connections to Redis that bring no echo for so long are made anew. */
const busSilenceMaxMs = 15_000;

/** Answers what the gateways ask. Any number of replicas, all equal; each is a consumer with a new random name. */
export const core: ServiceDefinition<typeof coreConfig> = {
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
    const connection = await connectRedis(config.REDIS_URL, {
      role,
      name: `core-${use}-${consumer}`,
      log,
      signal: lifecycle.stopping,
      isPatient: true,
    });
    lifecycle.onClose(`redis ${use}`, () => connection.disconnect());
    return connection;
  };
  const names = createNames(config.REDIS_PREFIX, () => db.epoch.current);
  const session = await inspectDatabase(service);
  lifecycle.check('redis', () => 'not connected');
  // One after the other: what is away is told of once.
  const command = await redis('command');
  // What Redis remembers of the database's history has to be known before a connection to it is used.
  const remembered = await untilWorks(lifecycle, 'redis memory', () => readRemembered(command, names));
  let announce = () => {};
  const db = await connectDatabase(service, { session, remembered, onEpoch: () => announce() });
  const blocking = await redis('blocking');
  const queueRedis = await redis('command', 'queues');
  const subscriber = await redis('subscriber');
  const connections = { command, blocking, queueRedis, subscriber };
  lifecycle.check('redis', () => {
    const broken = Object.entries(connections).find(([, { status }]) => status !== 'ready');
    return broken ? `${broken[0]}: not connected` : true;
  });

  const clock = await untilWorks(lifecycle, 'redis clock', () => startRedisClock(command));
  lifecycle.onClose('clock', () => clock.close());
  const deadlines = await startDeadlines({ db, readRedis: clock.read });
  lifecycle.onClose('deadlines', () => deadlines.close());
  const publisher = new Publisher({
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
    now: clock.now,
    log,
  });
  lifecycle.onClose('queues', () => queues.close());
  let echo: Echo | undefined;
  const confirmations = await listenForConfirmations({
    subscriber,
    channel: names.core(consumer),
    part: lifecycle.part('subscriptions'),
    isEcho: (bytes) => echo?.onPublication(bytes) ?? false,
    onUnreadable: jobMetrics.confirmationUnreadable,
    log,
  });
  lifecycle.onClose('confirmations', () => confirmations.close());
  echo = startEcho({
    redis: command,
    stream: names.echo,
    channel: names.core(consumer),
    part: lifecycle.part('bus'),
    onSilence() {
      log.warn('no echo, connecting anew');
      for (const connection of [command, subscriber]) reconnect(connection);
    },
    onAccepted({ isWrongServer }) {
      // The command connection has found a server that takes writes; the other may still be at the one before.
      if (isWrongServer) reconnect(subscriber);
    },
    silenceMaxMs: busSilenceMaxMs,
  });
  lifecycle.onClose('echo', echo.close);
  lifecycle.check('bus', echo.check);
  await echo.first;
  const context: Context = {
    config,
    log,
    metrics,
    db,
    publisher,
    names,
    redis: command,
    clock,
    deadlines,
    queues,
    queueRedis,
    jobMetrics,
    audits: createAudits({
      queues,
      deadlineMs: config.DELIVERY_ACK_DEADLINE_MS,
      now: clock.now,
      metrics: jobMetrics,
    }),
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
  const workers = await startJobs(context, lifecycle.part('jobs'));
  lifecycle.onClose('jobs', () => workers.close());
  const upkeep = startUpkeep(context, lifecycle.part('upkeep of the queues'));
  lifecycle.onClose('upkeep of the queues', () => upkeep.stop());

  function onUnreadable(id: string, { is, reason, deadline }: Unreadable): void {
    if (is === 'foreign') {
      log.warn({ entry: id, reason }, 'an entry of another layout is left to a core that knows it');
      metrics.entryUnreadable('left');
      claims.leave(id, deadline);
    } else {
      log.error({ entry: id, reason }, 'unreadable entry removed');
      metrics.entryUnreadable('removed');
      publisher.finish(id);
    }
  }
  function onRemoved(id: string): void {
    log.error({ entry: id }, 'an entry of another layout removed: no core that knows it took it');
    metrics.entryUnreadable('removed');
  }
  const intake = createIntake(context);
  const source = { stream: names.requests, group: names.cores, consumer, onUnreadable };
  const claims = startClaims<unknown>({
    ...source,
    part: lifecycle.part('claims'),
    redis: command,
    idleMs: config.CLAIM_IDLE_MS,
    everyMs: config.CLAIM_EVERY_MS,
    own: intake.own,
    now: clock.now,
    onRemoved,
    onEntry: (entry, deliveries) => runClaimed(context, entry, deliveries),
  });
  // Closed in reverse: nothing new is taken, what is under way ends, and is touched until then.
  lifecycle.onClose('claimed entries', () => claims.close());
  lifecycle.onClose('requests under way', () => intake.idle());
  lifecycle.onClose('claims', () => claims.stop());
  const reading = lifecycle.part('request reader');
  const reader = await untilWorks(lifecycle, 'request stream', () =>
    startRequestReader<unknown>({
      ...source,
      part: reading,
      blocking,
      command,
      entriesMax: config.CORE_ENTRIES_MAX,
      room: intake.room,
      onEntry: intake.take,
      onStreamLost() {
        log.warn('the request stream was lost; gateways are asked to write again');
        publisher.publish(names.gateways, 'lost');
        // The queues went with it, and nobody need have been disconnected.
        upkeep.run();
      },
    }),
  );
  lifecycle.onClose('request reader', () => reader.stop());
}
