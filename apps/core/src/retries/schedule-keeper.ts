import { reasonOf } from '@hooligram/bus';
import type { Part } from '@hooligram/service';
import type { Redis } from 'ioredis';
import { readRunId } from '../store-restarts.ts';
import { jobTypes } from './index.ts';
import type { JobContext } from './job-context.ts';
import { readRedisEpoch } from './redis-epoch.ts';
import { addRecovery } from './sweep.ts';

const everyMaxMs = 60_000;
const pauseAfterFailureMs = 5_000;

/**
 * Keeps in Redis what Redis may lose: schedules the sweep at the start, each minute, and when Redis is back. A sweep
 * that was not scheduled begins with a run at once. Also counts the dead letters. What fails is tried again soon.
 *
 * Redis may lose all of its data, or the last that was written: a replica that is promoted has what it was sent in time, a
 * server that starts again what it has on disk. Nobody can tell whether something is missing, so a sweep of all groups
 * follows each time that another process of Redis has the data.
 */
export class ScheduleKeeper {
  readonly #context: JobContext;
  readonly #connections: readonly Redis[];
  readonly #part: Part;
  readonly #timer: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;
  #redisEpoch: string | undefined;
  #server: string | undefined;

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
      jobMetrics.onRedisEmptied(shard);
      schedule.forget();
      // Another one of several may be the one that sweeps, and need not have noticed.
      shards.states[shard]?.miss();
    }
    this.#redisEpoch = epoch;
    await this.#followServer();
    await queues.schedule('sweep', config.SWEEP_EVERY_MS);
    for (const { name } of jobTypes) {
      reportDeadLetters(name, await queues.countDeadLetters(name));
    }
  }

  /** Notes in Redis itself which process it is: so it is noticed too if all cores were away when another one took over. */
  async #followServer(): Promise<void> {
    const { config, keys, log, queues, redis, schedule, shard, shards } = this.#context;
    // One that forbids the question is not asked; one that went away calls this again when it is back.
    const server = await readRunId(redis).catch(() => undefined);
    if (server === undefined || server === this.#server) return;
    const isAnother = this.#server !== undefined;
    // Of what this core knows to wait there, something may be missing.
    if (isAnother) schedule.forget();
    const noted = await redis.get(keys.server);
    // A core that was here earlier may have noted it, and had all groups swept; this one may have scheduled something on the
    // server before since then. However many ask for a sweep, one waits.
    if (isAnother || (noted !== null && noted !== server)) {
      log.warn(
        { redis: shard, see: 'docs/runbook.md#redisrestarted' },
        'Redis was restarted, or a replica was promoted; scanning all groups for undelivered messages',
      );
      const state = shards.states[shard];
      if (state) state.miss();
      else await addRecovery(queues, config);
    }
    if (noted !== server) await redis.set(keys.server, server);
    this.#server = server;
  }
}
