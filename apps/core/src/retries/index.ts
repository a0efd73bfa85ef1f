import { type BusPart, isRedisOutage } from '@hooligram/bus';
import { type JobOutcome, startWorkers, type Workers } from '@hooligram/bus/queues';
import { isInfrastructureError } from '@hooligram/db';
import type { Redis } from 'ioredis';
import { deliveryCheckJob } from './delivery-check.ts';
import type { JobContext, JobType } from './job-context.ts';
import { countRun } from './metrics.ts';
import { redeliveryJob } from './redelivery.ts';
import { sweepJob } from './sweep.ts';

/** Every type of job. Each has a queue of its own, under its name. */
export const jobTypes: readonly JobType<unknown>[] = [deliveryCheckJob, redeliveryJob, sweepJob];

const outagePauseMs = 1_000;

/**
 * Begins to run jobs, together with the other cores.
 *
 * @param redis the queues' connection, which is copied
 * @param part hears whether the workers reach their queues
 */
export function startJobs(context: JobContext, redis: Redis, part: BusPart): Promise<Workers> {
  const { names, clock, log, jobMetrics } = context;
  return startWorkers({
    redis,
    prefix: names.queues,
    types: jobTypes.map(waitingForStores),
    now: clock.now,
    context,
    onRun: (queue, outcome) => countRun(jobMetrics, queue, outcome),
    part,
    log,
  });
}

/** An outage of Redis or Postgres is not the job's fault: the job waits, and the run does not count as an attempt. */
function waitingForStores(type: JobType<unknown>): JobType<unknown> {
  return {
    ...type,
    async handle(context, data): Promise<JobOutcome<unknown>> {
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
