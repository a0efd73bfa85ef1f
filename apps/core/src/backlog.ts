import type { Keys, RedisClock } from '@hooligram/bus';
import { type Metrics, within } from '@hooligram/service';
import type { Redis } from 'ioredis';
import { RedisCpu, readCpu } from './redis-cpu.ts';
import { jobTypes } from './retries/index.ts';
import type { Shards } from './shards/shards.ts';

const everyMs = 5_000;
/** Of several Redis, one that does not answer must not keep the numbers of the others. */
const answerTimeoutMs = 1_000;
/** BullMQ's scores of delayed jobs: the moment times this, and a counter. */
const delayedScoreFactor = 0x1000;
/** So many jobs of a state are asked since when they are there: a thousand cost Redis a millisecond. */
const jobsLookedAtMax = 1_000;
const queue = jobTypes.map(({ name }) => name);
const states = ['waiting', 'active', 'delayed'] as const;

type BacklogMetrics = ReturnType<typeof createBacklogMetrics>;

/** What waits in Redis for the cores. All cores report the same. */
export function createBacklogMetrics(metrics: Metrics) {
  const all = 'the same on all cores';
  return {
    entries: metrics.gauge('core_stream_entries', `Entries of the request stream; ${all}`),
    entriesWaiting: metrics.gauge(
      'core_stream_lag',
      `Entries of the request stream that no core has taken yet; ${all}`,
    ),
    oldestEntry: metrics.gauge(
      'core_stream_oldest_seconds',
      `Age of the oldest entry of the request stream, taken or not; 0 without entries; ${all}`,
    ),
    entriesPending: metrics.gauge(
      'core_stream_pending',
      `Entries of the request stream that a core has taken and not ended; ${all}`,
    ),
    oldestPending: metrics.gauge(
      'core_stream_oldest_pending_seconds',
      `Age of the oldest entry of the request stream that a core has taken and not ended; 0 without one; ${all}`,
    ),
    jobs: metrics.gauge('core_jobs', `Jobs by queue and state; ${all}`, { queue, state: states }),
    jobOverdue: metrics.gauge(
      'core_job_overdue_seconds',
      `For how long the oldest delayed job has been due; 0 if none is; ${all}`,
      { queue },
    ),
    checksWaiting: metrics.gauge(
      'core_delivery_checks_waiting',
      `Groups that wait for their delivery check; ${all}`,
    ),
    checkOverdue: metrics.gauge(
      'core_delivery_check_overdue_seconds',
      `For how long the oldest delivery check has been due; 0 if none is; ${all}`,
    ),
    usersOverdue: metrics.gauge(
      'core_users_overdue',
      `Users with a redelivery job: they are connected and have not acknowledged in time; ${all}`,
    ),
    oldestOverdue: metrics.gauge(
      'core_redelivery_oldest_seconds',
      `Age of the oldest redelivery job: since then a user is connected and has not acknowledged; 0 without one; of more than ${jobsLookedAtMax} jobs that wait, those that are due first are looked at; ${all}`,
    ),
    redisCpu: metrics.counter(
      'core_redis_cpu_seconds_total',
      `CPU time of Redis, as it says itself, from the start of this core on; ${all}`,
    ),
    sweepAge: metrics.gauge(
      'core_sweep_age_seconds',
      `Time since the sweep last reached the end of all groups; ${all}`,
    ),
  };
}

type Sources = {
  readonly shards: Pick<Shards, 'all' | 'isOne' | 'states'>;
};

type Source = {
  readonly redis: Asking;
  readonly clock: RedisClock;
  readonly names: Keys;
};

/** Only the id: an entry may be a megabyte. */
const oldestIdLua = `local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
return entries[1] and entries[1][1]`;

/** When the oldest job of a queue was added, which keeps it through all its runs; nil without one. */
const oldestJobLua = `local oldest
local function look(ids)
  for _, id in ipairs(ids) do
    local added = tonumber(redis.call('HGET', KEYS[4] .. ':' .. id, 'timestamp') or '')
    if added and (not oldest or added < oldest) then oldest = added end
  end
end
look(redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1))
look(redis.call('LRANGE', KEYS[2], -ARGV[1], -1))
look(redis.call('LRANGE', KEYS[3], -ARGV[1], -1))
return oldest and string.format('%.0f', oldest)`;

type Asking = Redis & {
  oldestEntryId(stream: string): Promise<string | null>;
  oldestJob(...keysAndMax: (string | number)[]): Promise<string | null>;
};

/** What waits on one Redis. */
type Backlog = Awaited<ReturnType<typeof readBacklog>>;

/**
 * Looks every few seconds, in the background: who reads the metrics never waits for Redis. What cannot be read is not a
 * number. Of several Redis those that answer count: their numbers are added up, and the greatest age is told.
 */
export function startBacklogWatch({ shards }: Sources, metrics: BacklogMetrics): { close(): void } {
  let isLooking = false;
  const redisCpu = new RedisCpu();
  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    const there = shards.all().filter(({ redis, index }) => {
      return redis.command.status === 'ready' && !shards.states[index]?.isAway;
    });
    const sources = (there.length > 0 ? there : shards.all()).map(
      ({ redis: { command }, names, clock }): Source => {
        if (!('oldestJob' in command)) {
          command.defineCommand('oldestEntryId', { numberOfKeys: 1, lua: oldestIdLua });
          command.defineCommand('oldestJob', { numberOfKeys: 4, lua: oldestJobLua });
        }
        return { redis: command as Asking, clock, names };
      },
    );
    try {
      const read = await Promise.allSettled(sources.map((source) => answered(readBacklog(source))));
      const backlogs = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      if (backlogs.length > 0) report(backlogs, metrics);
      else forget(metrics);
      // Nice to have: a managed Redis may forbid it.
      const cpu = await Promise.allSettled(sources.map(({ redis }) => answered(readCpu(redis))));
      metrics.redisCpu.inc(redisCpu.add(cpu));
    } finally {
      isLooking = false;
    }
  }
  /** With one Redis, what takes long is waited for. */
  function answered<T>(read: Promise<T>): Promise<T> {
    return shards.isOne ? read : within(answerTimeoutMs, read);
  }
  const timer = setInterval(() => void look(), everyMs);
  void look();
  return { close: () => clearInterval(timer) };
}

async function readBacklog(source: Source) {
  const [stream, queues, oldestOverdue, checks, sweepAge] = await Promise.all([
    readStream(source),
    Promise.all(queue.map((name) => readQueue(source, name))),
    readOldestJob(source, 'redelivery'),
    readChecks(source),
    readSweepAge(source),
  ]);
  return { stream, queues, oldestOverdue, checks, sweepAge };
}

function report(backlogs: readonly Backlog[], metrics: BacklogMetrics): void {
  const all = (count: (backlog: Backlog) => number) => sum(backlogs.map(count));
  const most = (age: (backlog: Backlog) => number) => Math.max(...backlogs.map(age));
  metrics.entries.set(all(({ stream }) => stream.entries));
  metrics.entriesWaiting.set(all(({ stream }) => stream.waiting));
  metrics.oldestEntry.set(most(({ stream }) => stream.oldestSeconds));
  metrics.entriesPending.set(all(({ stream }) => stream.pending));
  metrics.oldestPending.set(most(({ stream }) => stream.oldestPendingSeconds));
  for (const [index, name] of queue.entries()) {
    const counts = states.map((state) => {
      const count = all(({ queues }) => queues[index]?.[state] ?? 0);
      metrics.jobs.set({ queue: name, state }, count);
      return count;
    });
    metrics.jobOverdue.set(
      { queue: name },
      most(({ queues }) => queues[index]?.overdue ?? 0),
    );
    if (name === 'redelivery') metrics.usersOverdue.set(sum(counts));
  }
  metrics.oldestOverdue.set(most(({ oldestOverdue }) => oldestOverdue));
  metrics.checksWaiting.set(all(({ checks }) => checks.groups));
  metrics.checkOverdue.set(most(({ checks }) => checks.overdue));
  // The first one that works sweeps: the one that has ended last counts.
  const sweepAge = Math.min(...backlogs.map((backlog) => backlog.sweepAge));
  metrics.sweepAge.set(Number.isFinite(sweepAge) ? sweepAge : Number.NaN);
}

async function readStream({ redis, names, clock }: Source) {
  const [entries, [pending, oldestPendingId], oldestId] = await Promise.all([
    redis.xlen(names.requests),
    // The group is made by the core that first reads: before it nothing is pending.
    redis.xpending(names.requests, names.cores).catch(ifNoGroup),
    redis.oldestEntryId(names.requests),
  ]);
  return {
    entries,
    waiting: Math.max(0, entries - Number(pending)),
    oldestSeconds: ageSeconds(clock, oldestId),
    pending: Number(pending),
    oldestPendingSeconds: ageSeconds(clock, oldestPendingId),
  };
}

function ifNoGroup(error: Error): unknown[] {
  if (error.message.startsWith('NOGROUP')) return [0, null];
  throw error;
}

/** @param id of an entry: it begins with the moment at which it was written */
function ageSeconds(clock: RedisClock, id: unknown): number {
  return typeof id === 'string' ? overdueSeconds(clock, Number.parseInt(id, 10)) : 0;
}

async function readQueue({ redis, names, clock }: Source, name: string) {
  const key = `${names.queues}:${name}`;
  const [waiting, active, delayed, first] = await Promise.all([
    redis.llen(`${key}:wait`),
    redis.llen(`${key}:active`),
    redis.zcard(`${key}:delayed`),
    redis.zrange(`${key}:delayed`, '0', '0', 'WITHSCORES'),
  ]);
  const dueAt = first[1] === undefined ? undefined : Number(first[1]) / delayedScoreFactor;
  return { waiting, active, delayed, overdue: overdueSeconds(clock, dueAt) };
}

/** @returns its age in seconds; 0 without one */
async function readOldestJob({ redis, names, clock }: Source, name: string): Promise<number> {
  const key = `${names.queues}:${name}`;
  const states = ['delayed', 'wait', 'active'].map((state) => `${key}:${state}`);
  const addedAt = await redis.oldestJob(...states, key, jobsLookedAtMax);
  return overdueSeconds(clock, addedAt === null ? undefined : Number(addedAt));
}

async function readChecks({ redis, names, clock }: Source) {
  const [groups, [, firstDue]] = await Promise.all([
    redis.zcard(names.dueGroups),
    redis.zrange(names.dueGroups, '0', '0', 'WITHSCORES'),
  ]);
  return {
    groups,
    overdue: overdueSeconds(clock, firstDue === undefined ? undefined : Number(firstDue)),
  };
}

/** In seconds; without end if no sweep has ended there. */
async function readSweepAge({ redis, names, clock }: Source): Promise<number> {
  const endedAt = await redis.get(names.sweepEnded);
  return endedAt === null ? Number.POSITIVE_INFINITY : overdueSeconds(clock, Number(endedAt));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** @param dueAt milliseconds since the epoch by Redis's clock */
function overdueSeconds(clock: RedisClock, dueAt: number | undefined): number {
  return dueAt === undefined ? 0 : Math.max(0, clock.now() - dueAt) / 1_000;
}

function forget(metrics: BacklogMetrics): void {
  const { jobs, jobOverdue, redisCpu: _, ...others } = metrics;
  for (const gauge of Object.values(others)) gauge.set(Number.NaN);
  for (const name of queue) {
    jobOverdue.set({ queue: name }, Number.NaN);
    for (const state of states) jobs.set({ queue: name, state }, Number.NaN);
  }
}
