import type { Keys, RedisClock } from '@hooligram/bus';
import type { Redis } from 'ioredis';
import type { CoreService } from '../config.ts';

/** Each connection has one use. */
export type Connections = {
  readonly command: Redis;
  readonly blocking: Redis;
  readonly queues: Redis;
  readonly subscriber: Redis;
};

/** One Redis, with a whole bus on it, that was reached. */
export type Shard = {
  /** Its place in the list. */
  readonly index: number;
  readonly redis: Connections;
  /** What its keys are called. */
  readonly names: Keys;
  readonly clock: RedisClock;
  /** What is started on it is a condition of readiness, and closed, as this lifecycle says. */
  readonly service: CoreService;
};

/** Deadlines of the entries of one Redis, which are set by its clock. */
export type EntryDeadlines = {
  /** The same moment by the clock by which the core goes. */
  of(deadline: number): number;
  /** The latest moment, by the database's clock, at which any core may have taken the entry to be in time. */
  latestOf(deadline: number): number;
};
