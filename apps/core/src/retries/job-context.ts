import type { DueSet, Keys, RedisClock } from '@hooligram/bus';
import type { JobType as QueueJobType, Queues } from '@hooligram/bus/queues';
import type { JobName } from '@hooligram/contract';
import type { Redis } from 'ioredis';
import type { Context } from '../context.ts';
import type { Shards } from '../shards/shards.ts';
import type { DeliveryCheckSchedule } from './delivery-check-schedule.ts';
import type { JobMetrics } from './metrics.ts';
import type { RedeliveryReplies } from './redelivery-replies.ts';

/** What jobs and the schedule keeper may use, beyond what handlers may. */
export type JobContext = Context & {
  readonly shards: Shards;
  /** Of several Redis, the place of the one of these jobs. */
  readonly shard: number;
  /** Its clock. */
  readonly clock: RedisClock;
  readonly redis: Redis;
  /** What its keys are called. */
  readonly keys: Keys;
  readonly queues: Queues;
  /** Those of the first Redis that works. */
  firstQueues(): Queues;
  /** The groups that wait there for their delivery check. */
  readonly dueGroups: DueSet;
  /** What is known of them. */
  readonly schedule: DeliveryCheckSchedule;
  /** The channel on which gateways reply to this core. */
  readonly ownChannel: string;
  readonly jobMetrics: JobMetrics;
  readonly redeliveryReplies: RedeliveryReplies;
  /** How many dead letters a queue of this Redis keeps. */
  reportDeadLetters(queue: string, count: number): void;
};

export type JobType<D> = QueueJobType<JobContext, D> & { readonly name: JobName };
