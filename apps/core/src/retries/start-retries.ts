import { DueSet, isRedisOutage } from '@hooligram/bus';
import { openQueues, type Queues, startWorkers } from '@hooligram/bus/queues';
import { isInfrastructureError } from '@hooligram/db';
import { within } from '@hooligram/service';
import type { CoreService } from '../config.ts';
import type { Context } from '../context.ts';
import type { CoreMetrics } from '../metrics.ts';
import { openOwnChannel } from '../own-channel.ts';
import type { Shard } from '../shards/shard.ts';
import type { Stores } from '../stores.ts';
import { DeliveryCheckSchedule } from './delivery-check-schedule.ts';
import { jobTypes } from './index.ts';
import type { JobContext, JobType } from './job-context.ts';
import { countAdded, countRun, createJobMetrics } from './metrics.ts';
import { RedeliveryReplies } from './redelivery-replies.ts';
import { ScheduleKeeper } from './schedule-keeper.ts';
import { ShardedDeliveryChecks } from './sharded-delivery-checks.ts';
import { addRecovery } from './sweep.ts';

const outagePauseMs = 1_000;
/** Of several Redis, one that does not answer must not keep the others waiting. */
const answerTimeoutMs = 1_000;

/** What one Redis has of it. */
type Opened = Pick<JobContext, 'queues' | 'dueGroups' | 'schedule'>;

/** The queues and delivery checks of each Redis, and what all of them share. */
export class Retries {
  readonly redeliveryReplies = new RedeliveryReplies();
  readonly ownChannel: string;
  readonly #service: CoreService;
  readonly #stores: Stores;
  readonly #consumer: string;
  readonly #jobMetrics: JobContext['jobMetrics'];
  readonly #opened: (Opened | undefined)[] = [];
  readonly #several: ShardedDeliveryChecks | undefined;
  readonly #deadLetters = new Map<string, number>();
  #isMissedLeft = false;

  /** With one Redis, its queues are open from now on, and jobs can be added; with several, those that `open` has opened. */
  constructor(service: CoreService, stores: Stores, consumer: string) {
    const { shards, names } = stores;
    this.#service = service;
    this.#stores = stores;
    this.#consumer = consumer;
    this.#jobMetrics = createJobMetrics(service.metrics, shards.placement.shards);
    this.ownChannel = names.core(consumer);
    if (shards.isOne) this.open(shards.first());
    else this.#several = new ShardedDeliveryChecks(shards.placement, shards.states);
  }

  get deliveryChecks(): Context['deliveryChecks'] {
    return this.#several ?? (this.#opened[0] as Opened).schedule;
  }

  /** Opens the queues of a Redis, once. */
  open({ index, service, redis, names, clock }: Shard): void {
    if (this.#opened[index]) return;
    const { config, log, lifecycle } = service;
    const queues = openQueues({
      redis: redis.queues,
      prefix: names.queues,
      names: jobTypes.map(({ name }) => name),
      now: clock.now,
      log,
    });
    lifecycle.onClose('queues', async () => {
      await this.#leaveMissed(index, queues).finally(() => queues.close());
    });
    const { publisher } = this.#stores;
    const dueGroups = new DueSet(redis.queues, names.dueGroups, (commands) => publisher.ask(commands, index));
    const schedule = new DeliveryCheckSchedule({
      dueGroups,
      queues,
      deadlineMs: config.DELIVERY_ACK_DEADLINE_MS,
      now: clock.now,
      metrics: this.#jobMetrics,
    });
    this.#opened[index] = { queues, dueGroups, schedule };
    this.#several?.join(index, schedule);
  }

  /** Opens the channel of a Redis for replies. Resolves when it has proved that it works. */
  listen(shard: Shard, metrics: CoreMetrics): Promise<void> {
    const onReply = (bytes: Buffer) => {
      try {
        this.redeliveryReplies.receive(bytes);
      } catch (error) {
        this.#jobMetrics.redeliveryRepliesUnreadable.inc();
        this.#service.log.warn({ reason: String(error) }, 'unreadable redelivery reply');
      }
    };
    return openOwnChannel(shard, this.#stores, this.#consumer, onReply, metrics);
  }

  /** Begins to run the jobs of a Redis, and to keep their schedule there. */
  start(context: Context, shard: Shard): ScheduleKeeper {
    const { lifecycle } = shard.service;
    const jobContext = this.#jobContext(context, shard);
    const workers = startWorkers({
      redis: shard.redis.queues,
      prefix: shard.names.queues,
      types: jobTypes.map(waitingForStores),
      now: shard.clock.now,
      context: jobContext,
      onRun: (queue, outcome) => countRun(this.#jobMetrics, queue, outcome),
      part: lifecycle.part('jobs'),
      log: context.log,
      onConnection: (use, redis) => context.metrics.redis.watch(use, redis, shard.index),
    });
    lifecycle.onClose('jobs', () => workers.close());
    const keeper = new ScheduleKeeper(jobContext, shard.redis.queues, lifecycle.part('schedule keeper'));
    lifecycle.onClose('schedule keeper', () => keeper.stop());
    return keeper;
  }

  /** See `Context`. */
  readonly startRedeliveries = async (userIds: readonly number[]): Promise<readonly number[]> => {
    const { placement } = this.#stores.shards;
    const ofShards = new Map<number, number[]>();
    for (const id of userIds) {
      const shard = placement.of(id);
      ofShards.set(shard, [...(ofShards.get(shard) ?? []), id]);
    }
    const failed = await Promise.all(
      [...ofShards].map(([shard, ids]) => this.#startRedeliveries(shard, ids)),
    );
    return failed.flat();
  };

  /** Has all groups looked through: something that was to be scheduled was not. */
  async sweep(): Promise<void> {
    await addRecovery(this.#firstQueues(), this.#service.config);
  }

  /**
   * What a Redis missed that is not back yet, this process does not make good any more. It leaves a sweep on another one: the
   * core that runs it finds these groups, and notes again what the first one still misses then.
   */
  async #leaveMissed(shard: number, queues: Queues): Promise<void> {
    const { states } = this.#stores.shards;
    const isHere = states[shard]?.hasMissed === false && !states[shard].isAway;
    if (this.#isMissedLeft || !isHere || !states.some(({ hasMissed }) => hasMissed)) return;
    this.#isMissedLeft = true;
    await within(answerTimeoutMs, addRecovery(queues, this.#service.config));
  }

  async #startRedeliveries(shard: number, userIds: readonly number[]): Promise<readonly number[]> {
    const additions = userIds.map((user_id) => ({ data: { user_id }, key: String(user_id) }));
    const { isOne, states } = this.#stores.shards;
    try {
      if (states[shard]?.isAway) return userIds;
      const added = this.#queuesOf(shard).add('redelivery', additions);
      countAdded(this.#jobMetrics, 'redelivery', await (isOne ? added : within(answerTimeoutMs, added)));
      return [];
    } catch (err) {
      this.#service.log.warn(
        { err, users: userIds.length, see: 'docs/runbook.md#redisaway' },
        'redeliveries could not be started',
      );
      return userIds;
    }
  }

  #queuesOf(shard: number): Queues {
    const opened = this.#opened[shard];
    if (!opened) throw new Error('not connected to Redis');
    return opened.queues;
  }

  readonly #firstQueues = (): Queues => this.#queuesOf(this.#stores.shards.first().index);

  #jobContext(context: Context, { index, redis, names, clock }: Shard): JobContext {
    return {
      ...context,
      ...(this.#opened[index] as Opened),
      firstQueues: this.#firstQueues,
      shards: this.#stores.shards,
      shard: index,
      clock,
      redis: redis.command,
      keys: names,
      ownChannel: this.ownChannel,
      jobMetrics: this.#jobMetrics,
      redeliveryReplies: this.redeliveryReplies,
      reportDeadLetters: (queue, count) => this.#reportDeadLetters(index, queue, count),
    };
  }

  #reportDeadLetters(shard: number, queue: string, count: number): void {
    this.#deadLetters.set(`${queue} ${shard}`, count);
    const shards = this.#stores.shards.all();
    const all = shards.map(({ index }) => this.#deadLetters.get(`${queue} ${index}`) ?? 0);
    const sum = all.reduce((before, one) => before + one, 0);
    this.#jobMetrics.deadLetters.set({ queue: queue as (typeof jobTypes)[number]['name'] }, sum);
  }
}

/** An outage of Redis or Postgres is not the job's fault: the job waits, and the run does not count as an attempt. */
function waitingForStores(type: JobType<unknown>): JobType<unknown> {
  return {
    ...type,
    async handle(context, data, ageMs) {
      try {
        return await type.handle(context, data, ageMs);
      } catch (error) {
        if (!isInfrastructureError(error) && !isRedisOutage(error)) throw error;
        context.log.warn(
          { queue: type.name, err: error, see: 'docs/runbook.md' },
          'job waits for Redis or Postgres',
        );
        return { outcome: 'again', afterMs: outagePauseMs * (1 + Math.random()), data };
      }
    },
  };
}
