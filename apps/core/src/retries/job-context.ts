import type { DueSet } from '@hooligram/bus';
import type { JobType as QueueJobType, Queues } from '@hooligram/bus/queues';
import type { JobName } from '@hooligram/contract';
import type { Redis } from 'ioredis';
import type { Context } from '../context.ts';
import type { JobMetrics } from './metrics.ts';
import type { RedeliveryReplies } from './redelivery-replies.ts';

/** What jobs and the schedule keeper may use, beyond what handlers may. */
export type JobContext = Context & {
  readonly queues: Queues;
  /** The groups that wait for their delivery check. */
  readonly dueGroups: DueSet;
  readonly redis: Redis;
  /** The channel on which gateways reply to this core. */
  readonly ownChannel: string;
  readonly jobMetrics: JobMetrics;
  readonly redeliveryReplies: RedeliveryReplies;
};

export type JobType<D> = QueueJobType<JobContext, D> & { readonly name: JobName };
