import { randomBytes } from 'node:crypto';
import { DelayedError, type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { ZodType } from 'zod';
import { type BusLog, copyForWorkers, mayReadInfo } from './connection.ts';
import type { BusPart } from './pause.ts';
import { reasonOf } from './refusal.ts';

/** What becomes of a job after a run: it goes, it runs again later, or it becomes a dead letter. */
export type JobOutcome<D> =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'again'; readonly afterMs: number; readonly data: D }
  | { readonly outcome: 'dead'; readonly reason: string };

/** A type of job. It has a queue to itself, under its name. */
export type JobType<C, D> = {
  readonly name: string;
  readonly schema: ZodType<D>;
  /** Runs at once in one process. */
  readonly concurrency: number;
  /**
   * @param ageMs since it was added, whatever runs it has had since
   * @throws what went wrong; the job runs again, `jobPolicy` says how often, and is a dead letter then
   */
  handle(context: C, data: D, ageMs: number): Promise<JobOutcome<D>>;
};

export type Addition = {
  readonly data: object;
  /** No job is added while one with the same key waits; while one runs, the last one added follows it. */
  readonly key: string;
  readonly delayMs?: number;
};

/**
 * What holds for every job. Done ones go at once. Dead letters stay, the oldest give way. A job of a process that
 * died goes to another one; with BullMQ's limit of one such find, two deployments could make a dead letter of it.
 */
const jobPolicy = Object.freeze({
  attempts: 6,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: { count: 1_000 },
  stackTraceLimit: 3,
});

/** Longer than from one failure of a worker to the next: it may block in Redis for 5 s, and is refused then. */
const quietMs = 7_000;

const workerPolicy = Object.freeze({
  maxStalledCount: 18,
  lockDuration: 10_000,
  stalledInterval: 5_000,
  runRetryDelay: 1_000,
});

export type DeadLetter = {
  readonly id: string;
  readonly data: unknown;
  readonly reason: string;
  readonly date: Date;
};

export type WaitingJob = {
  readonly id: string;
  readonly data: unknown;
  /** When it runs next; undefined if it is due or running. */
  readonly dueAt: Date | undefined;
};

/**
 * The producers' side.
 *
 * Guarantee: when `add` has resolved, a job that begins after this moment stands in Redis for each addition. It
 * runs at least once, unless Redis loses its memory.
 *
 * @param redis a connection of the role `command`
 * @param prefix of all keys: `Names.queues`
 * @param now milliseconds since the epoch by Redis's clock: when a job is due must not depend on who added it
 */
export function openQueues(options: {
  redis: Redis;
  prefix: string;
  names: readonly string[];
  now(): number;
  log: BusLog;
}): Queues {
  const { redis, prefix, names, now, log } = options;
  const queues = names.map((name) => {
    const queue = new Queue(name, {
      connection: redis,
      prefix,
      defaultJobOptions: jobPolicy,
      skipVersionCheck: !mayReadInfo(redis),
    });
    queue.on('error', (error) => {
      if (!isLost(error)) log.warn({ queue: name, reason: reasonOf(error) }, 'queue');
    });
    return [name, queue] as const;
  });
  return new Queues(new Map(queues), redis, now);
}

export class Queues {
  readonly #queues: ReadonlyMap<string, Queue>;
  readonly #redis: Redis;
  readonly #now: () => number;

  constructor(queues: ReadonlyMap<string, Queue>, redis: Redis, now: () => number) {
    this.#queues = queues;
    this.#redis = redis;
    this.#now = now;
  }

  /**
   * Adds jobs to a queue in one round trip. Rejects at once while Redis is away: nothing waits in memory.
   * @returns for each addition the id of the job that stands for it, and whether that is a new one
   */
  async add(name: string, additions: readonly Addition[]): Promise<{ id: string; isNew: boolean }[]> {
    const timestamp = Math.round(this.#now());
    const ids = additions.map(jobId);
    const jobs = await this.#queueOf(name).addBulk(
      additions.map(({ data, key, delayMs = 0 }, index) => ({
        name,
        data,
        opts: {
          jobId: ids[index] as string,
          timestamp,
          delay: delayMs,
          deduplication: { id: key, keepLastIfActive: true },
        },
      })),
    );
    return jobs.map(({ id }, index) => ({ id: id as string, isNew: id === ids[index] }));
  }

  /** Has a job without data run now and every so often. To be called again and again: Redis may forget it. */
  async schedule(name: string, everyMs: number): Promise<void> {
    // The same again changes nothing: it keeps its place in time.
    await this.#queueOf(name).upsertJobScheduler(name, { every: everyMs }, { name, data: {} });
  }

  async deadLetters(name: string): Promise<DeadLetter[]> {
    const jobs = await this.#queueOf(name).getFailed();
    return jobs.map(({ id, data, failedReason, finishedOn, timestamp }) => ({
      id: id as string,
      data,
      reason: failedReason ?? '',
      date: new Date(finishedOn ?? timestamp),
    }));
  }

  /** The job that stands for a key; undefined if none does. */
  async find(name: string, key: string): Promise<WaitingJob | undefined> {
    const queue = this.#queueOf(name);
    const id = await queue.getDeduplicationJobId(key);
    const job = id ? await queue.getJob(id) : undefined;
    if (!job?.id || job.finishedOn !== undefined) return undefined;
    // BullMQ keeps the moment in the upper bits of the score.
    const score = Number(await this.#redis.zscore(queue.toKey('delayed'), job.id)) || 0;
    return {
      id: job.id,
      data: job.data,
      dueAt: score > 0 ? new Date(Math.floor(score / 0x1000)) : undefined,
    };
  }

  countDeadLetters(name: string): Promise<number> {
    return this.#queueOf(name).getFailedCount();
  }

  async dropDeadLetter(name: string, id: string): Promise<void> {
    await this.#queueOf(name).remove(id);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #queueOf(name: string): Queue {
    const queue = this.#queues.get(name);
    if (!queue) throw new Error(`no queue ${name}`);
    return queue;
  }
}

/** Never the same twice: a job that is kept would block every later one of its id. */
function jobId({ key }: Addition): string {
  return `${key}.${randomBytes(6).toString('base64url')}`;
}

export type Workers = {
  /** Takes no more jobs; resolves when those under way have ended. */
  close(): Promise<void>;
};

type WorkersOptions<C> = {
  redis: Redis;
  prefix: string;
  types: readonly JobType<C, unknown>[];
  context: C;
  now(): number;
  onRun(queue: string, end: 'done' | 'again' | 'dead' | 'failed' | 'dropped'): void;
  part: BusPart;
  log: BusLog;
  onConnection?(use: string, redis: Redis): void;
};

/**
 * The workers' side: runs the jobs of these types, on connections of its own. A job that it does not know, or cannot
 * read, was written by another release: that is logged, and the job is dropped.
 *
 * Guarantee: at least once. Two processes run the same job at once only if one of them was taken for dead.
 *
 * @param now milliseconds since the epoch by Redis's clock
 * @param redis is not used, but copied: workers wait for Redis where everybody else fails
 * @param part hears whether the workers reach their queues. What Redis refuses is tried again after a pause.
 * @param onRun called after every run: `failed` means that the job will be tried again
 * @param onConnection is told each connection once, when it is made: `workers`, for what all of them say, and for each type
 *   `worker ` and its name, on which its worker waits for the next job
 */
export function startWorkers<C>(options: WorkersOptions<C>): Workers {
  return new QueueWorkers(options);
}

class QueueWorkers<C> implements Workers {
  readonly #options: WorkersOptions<C>;
  readonly #connection: Redis;
  readonly #workers: readonly Worker[];
  #quiet: NodeJS.Timeout | undefined;

  constructor(options: WorkersOptions<C>) {
    const { redis } = options;
    this.#options = options;
    this.#connection = copyForWorkers(redis, `${redis.options.connectionName}-workers`);
    this.#connection.on('error', () => {});
    options.onConnection?.('workers', this.#connection);
    // Commands wait for it.
    this.#connection.connect().catch(() => {});
    this.#workers = options.types.map((type) => this.#start(type));
  }

  async close(): Promise<void> {
    // Without Redis no job can end: its lock runs out, and another process takes it.
    const isAlone = this.#connection.status !== 'ready';
    clearTimeout(this.#quiet);
    await Promise.all(this.#workers.map((worker) => worker.close(isAlone)));
    this.#connection.disconnect();
  }

  #start(type: JobType<C, unknown>): Worker {
    const { redis, prefix, onRun, log, onConnection } = this.#options;
    // BullMQ copies the connection for this worker, here and never again.
    const { duplicate } = this.#connection;
    this.#connection.duplicate = (override) => {
      const copy = duplicate(override);
      onConnection?.(`worker ${type.name}`, copy);
      return copy;
    };
    const worker = new Worker(type.name, (job, token) => this.#run(type, job, token), {
      connection: this.#connection,
      prefix,
      concurrency: type.concurrency,
      skipVersionCheck: !mayReadInfo(redis),
      ...workerPolicy,
    });
    this.#connection.duplicate = duplicate;
    worker.on('error', (error) => this.#failed(error));
    worker.on('failed', (job, error) => {
      const isDead = job?.finishedOn !== undefined;
      log.warn({ queue: type.name, job: job?.id, reason: error.message, isDead }, 'job failed');
      onRun(type.name, isDead ? 'dead' : 'failed');
    });
    return worker;
  }

  async #run(type: JobType<C, unknown>, job: Job, token?: string): Promise<void> {
    const { context, now, onRun, log } = this.#options;
    const parsed = type.schema.safeParse(job.data);
    if (job.name !== type.name || !parsed.success) {
      log.warn({ queue: type.name, name: job.name, job: job.id }, 'job of an unknown type or form dropped');
      onRun(type.name, 'dropped');
      return;
    }
    const result = await type.handle(context, parsed.data, Math.max(0, now() - job.timestamp));
    if (result.outcome === 'dead') throw new UnrecoverableError(result.reason);
    if (result.outcome === 'again') {
      await job.updateData(result.data);
      await job.moveToDelayed(Math.round(now()) + result.afterMs, token);
    }
    onRun(type.name, result.outcome);
    if (result.outcome === 'again') throw new DelayedError();
  }

  /** BullMQ says when something fails and never that it works: it does when nothing has failed for a while. */
  #failed(error: Error): void {
    if (isLost(error)) return;
    const { part } = this.#options;
    part.failed(reasonOf(error));
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => part.works(), quietMs);
  }
}

/** A lost connection is logged by the connection itself. */
function isLost(error: Error): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined || error.message === 'Connection is closed.';
}
