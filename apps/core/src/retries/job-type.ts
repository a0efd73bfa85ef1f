import type { JobOutcome, JobType } from '@hooligram/bus/queues';
import type { Context } from '../context.ts';

export type Kind<D> = JobType<Context, D>;

export const done = { outcome: 'done' } satisfies JobOutcome<never>;
