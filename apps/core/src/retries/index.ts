import { type BusPart, isRedisOutage } from '@hooligram/bus';
import { type JobOutcome, startWorkers, type Workers } from '@hooligram/bus/queues';
import { isInfrastructureError } from '@hooligram/db';
import type { Context } from '../context.ts';
import { audit } from './delivery-check.ts';
import type { Kind } from './job-type.ts';
import { redelivery } from './redelivery.ts';
import { sweep } from './sweep.ts';

/** Every kind of job. Each has a queue of its own, under its name. */
export const kinds = [audit, redelivery, sweep] as unknown as readonly Kind<never>[];

const troublePauseMs = 1_000;

/** Takes part in running the jobs. */
export async function startJobs(context: Context, part: BusPart): Promise<Workers> {
  const { queueRedis, names, clock, log, jobMetrics } = context;
  return startWorkers({
    redis: queueRedis,
    prefix: names.queues,
    types: kinds.map(withPatience),
    now: clock.now,
    context,
    onRun: jobMetrics.jobRan,
    part,
    log,
  });
}

/** Trouble that is a store's is nobody's fault: the job waits, and it is not counted. */
function withPatience(kind: Kind<never>): Kind<never> {
  return {
    ...kind,
    async handle(context, data): Promise<JobOutcome<never>> {
      try {
        return await kind.handle(context, data);
      } catch (error) {
        if (!isInfrastructureError(error) && !isRedisOutage(error)) throw error;
        context.log.warn({ queue: kind.name, err: error }, 'job waits for a store');
        return { outcome: 'again', afterMs: troublePauseMs * (1 + Math.random()), data };
      }
    },
  };
}
