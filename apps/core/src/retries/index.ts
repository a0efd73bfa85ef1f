import { deliveryCheckJob } from './delivery-check.ts';
import type { JobType } from './job-context.ts';
import { redeliveryJob } from './redelivery.ts';
import { sweepJob } from './sweep.ts';

/** Every type of job. Each has a queue of its own, under its name. */
export const jobTypes: readonly JobType<unknown>[] = [deliveryCheckJob, redeliveryJob, sweepJob];
