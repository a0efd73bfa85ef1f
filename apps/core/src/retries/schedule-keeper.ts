import { reasonOf } from '@hooligram/bus';
import type { Part } from '@hooligram/service';
import type { Redis } from 'ioredis';
import { jobTypes } from './index.ts';
import type { JobContext } from './job-context.ts';
import { readRedisEpoch } from './redis-epoch.ts';

const everyMaxMs = 60_000;
const pauseAfterFailureMs = 5_000;

/**
 * Keeps in Redis what Redis may lose: schedules the sweep at the start, each minute, and when Redis is back. A sweep
 * that was not scheduled begins with a run at once. Also counts the dead letters. What fails is tried again soon.
 */
export class ScheduleKeeper {
  readonly #context: JobContext;
  readonly #connections: readonly Redis[];
  readonly #part: Part;
  readonly #timer: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;
  #redisEpoch: string | undefined;

  /** @param queuesRedis the queues' connection: like the context's, it may be the one that comes back last */
  constructor(context: JobContext, queuesRedis: Redis, part: Part) {
    this.#context = context;
    this.#connections = [context.redis, queuesRedis];
    this.#part = part;
    this.#timer = setInterval(this.run, Math.min(everyMaxMs, context.config.SWEEP_EVERY_MS));
    for (const connection of this.#connections) connection.on('ready', this.run);
    this.run();
  }

  /** To be called when Redis may have lost its data a moment ago. */
  readonly run = (): void => {
    clearTimeout(this.#retry);
    // A connection that is away calls this when it is back.
    if (this.#connections.some(({ status }) => status !== 'ready')) return;
    this.#keep().then(
      () => this.#part.works(),
      (error: Error) => {
        this.#part.failed(reasonOf(error));
        clearTimeout(this.#retry);
        this.#retry = setTimeout(this.run, pauseAfterFailureMs);
      },
    );
  };

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    for (const connection of this.#connections) connection.off('ready', this.run);
  }

  async #keep(): Promise<void> {
    const { config, queues, schedule, shards, shard, jobMetrics, reportDeadLetters } = this.#context;
    const epoch = await readRedisEpoch(this.#context);
    if (this.#redisEpoch !== undefined && epoch !== this.#redisEpoch) {
      jobMetrics.redisEmptied.inc();
      schedule.forget();
      // Another one of several may be the one that sweeps, and need not have noticed.
      shards.states[shard]?.miss();
    }
    this.#redisEpoch = epoch;
    await queues.schedule('sweep', config.SWEEP_EVERY_MS);
    for (const { name } of jobTypes) {
      reportDeadLetters(name, await queues.countDeadLetters(name));
    }
  }
}
