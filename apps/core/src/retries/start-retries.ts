import { DueSet, isRedisOutage } from '@hooligram/bus';
import { openQueues, startWorkers } from '@hooligram/bus/queues';
import { isInfrastructureError } from '@hooligram/db';
import type { CoreService } from '../config.ts';
import type { Context } from '../context.ts';
import type { CoreMetrics } from '../metrics.ts';
import { openOwnChannel } from '../own-channel.ts';
import type { Stores } from '../stores.ts';
import { DeliveryCheckSchedule } from './delivery-check-schedule.ts';
import { jobTypes } from './index.ts';
import type { JobType } from './job-context.ts';
import { countAdded, countRun, createJobMetrics } from './metrics.ts';
import { RedeliveryReplies } from './redelivery-replies.ts';
import { ScheduleKeeper } from './schedule-keeper.ts';

const outagePauseMs = 1_000;

export type Retries = Awaited<ReturnType<typeof openRetries>>;

/** Opens the queues and the channel for replies: from then on jobs can be added. None runs here yet. */
export async function openRetries(
  service: CoreService,
  stores: Stores,
  consumer: string,
  metrics: CoreMetrics,
) {
  const { config, log, lifecycle } = service;
  const { redis, names, clock } = stores;
  const jobMetrics = createJobMetrics(service.metrics);
  const queues = openQueues({
    redis: redis.queues,
    prefix: names.queues,
    names: jobTypes.map(({ name }) => name),
    now: clock.now,
    log,
  });
  lifecycle.onClose('queues', () => queues.close());
  const ownChannel = names.core(consumer);
  const redeliveryReplies = new RedeliveryReplies();
  const onReply = (bytes: Buffer) => {
    try {
      redeliveryReplies.receive(bytes);
    } catch (error) {
      jobMetrics.redeliveryRepliesUnreadable.inc();
      log.warn({ reason: String(error) }, 'unreadable redelivery reply');
    }
  };
  await openOwnChannel(service, stores, consumer, onReply, metrics);
  const dueGroups = new DueSet(redis.queues, names.dueGroups);
  return {
    queues,
    dueGroups,
    ownChannel,
    redeliveryReplies,
    jobMetrics,
    deliveryChecks: new DeliveryCheckSchedule({
      dueGroups,
      queues,
      deadlineMs: config.DELIVERY_ACK_DEADLINE_MS,
      now: clock.now,
      metrics: jobMetrics,
    }),
    async startRedeliveries(userIds: readonly number[]) {
      const additions = userIds.map((user_id) => ({ data: { user_id }, key: String(user_id) }));
      countAdded(jobMetrics, 'redelivery', await queues.add('redelivery', additions));
    },
  };
}

/** Begins to run jobs, and to keep their schedule in Redis. */
export async function startRetries(
  { lifecycle }: CoreService,
  context: Context,
  { redis }: Stores,
  retries: Retries,
): Promise<ScheduleKeeper> {
  const jobContext = { ...context, ...retries, redis: redis.command };
  const workers = await startWorkers({
    redis: redis.queues,
    prefix: context.names.queues,
    types: jobTypes.map(waitingForStores),
    now: context.clock.now,
    context: jobContext,
    onRun: (queue, outcome) => countRun(retries.jobMetrics, queue, outcome),
    part: lifecycle.part('jobs'),
    log: context.log,
  });
  lifecycle.onClose('jobs', () => workers.close());
  const keeper = new ScheduleKeeper(jobContext, redis.queues, lifecycle.part('schedule keeper'));
  lifecycle.onClose('schedule keeper', () => keeper.stop());
  return keeper;
}

/** An outage of Redis or Postgres is not the job's fault: the job waits, and the run does not count as an attempt. */
function waitingForStores(type: JobType<unknown>): JobType<unknown> {
  return {
    ...type,
    async handle(context, data) {
      try {
        return await type.handle(context, data);
      } catch (error) {
        if (!isInfrastructureError(error) && !isRedisOutage(error)) throw error;
        context.log.warn({ queue: type.name, err: error }, 'job waits for Redis or Postgres');
        return { outcome: 'again', afterMs: outagePauseMs * (1 + Math.random()), data };
      }
    },
  };
}
