import {
  beginSweep,
  isInfrastructureError,
  moveSweep,
  readSweepPlace,
  type SweepPlace,
  sweepGroups,
} from '@hooligram/db';
import { z } from 'zod';
import type { JobContext, JobType } from './job-context.ts';
import { publishChecks } from './publish-checks.ts';
import { readRedisEpochs } from './redis-epoch.ts';

const groupsPerPage = 500;
const catchUpPauseMs = 100;

const schema = z.object({ from_start: z.boolean().default(false) });

/**
 * Walks all groups, a bounded number each run, and checks those with overdue members: it finds what every other path
 * has missed. The place is kept in Postgres, with the Redis epoch in which the walk began. In another epoch all
 * scheduled delivery checks are gone: the walk begins again, and goes on without pause.
 *
 * A walk that is catching up reaches its end before another one begins from the start. So a Redis that breaks again and
 * again does not keep it from the groups behind.
 *
 * Each of several Redis has this job. The first one that works walks, for all of them; it also goes on with a walk that was
 * begun on another one.
 */
export const sweepJob: JobType<z.infer<typeof schema>> = {
  name: 'sweep',
  schema,
  concurrency: 1,
  async handle(context, data) {
    const { from_start } = data;
    // To begin again is asked of one of them.
    if (!from_start && !context.shards.isFirst(context.shard)) return { outcome: 'done' };
    try {
      const place = await placeOf(context, from_start);
      const reached = await walk(context, place);
      if (reached?.is_catching_up) {
        await context.firstQueues().add('sweep', [{ data: {}, key: 'catch-up', delayMs: catchUpPauseMs }]);
      }
      if (from_start && place.after_group_id > 0) {
        return { outcome: 'again', afterMs: recoveryDelayMs(context.config), data };
      }
    } catch (error) {
      if (from_start || !isInfrastructureError(error)) throw error;
      // The next run comes soon, and jobs that wait for the database would all run at once when it is back.
      context.log.warn(
        { err: error, see: 'docs/runbook.md#postgresnotwritable' },
        'sweep skipped, the database does not answer',
      );
    }
    return { outcome: 'done' };
  },
};

/** @param fromStart from there, unless a walk is catching up: that one goes on first */
async function placeOf(context: JobContext, fromStart: boolean): Promise<SweepPlace> {
  const place = await readSweepPlace(context.db);
  const epoch = await readRedisEpochs(context, place?.epoch);
  if (place?.epoch === epoch && (!fromStart || place.is_catching_up)) return place;
  if (place?.epoch !== epoch) {
    context.log.warn(
      { see: 'docs/runbook.md#redisemptied' },
      'Redis was emptied; scanning all groups for undelivered messages',
    );
    await addRecovery(context.queues, context.config);
  }
  return beginSweep(context.db, epoch);
}

/**
 * A sweep of all groups. It begins in a while: a core may rely for a moment longer on delivery checks that are gone, and
 * what was just stored is not yet due.
 */
export async function addRecovery(queues: JobContext['queues'], config: JobContext['config']): Promise<void> {
  const delayMs = recoveryDelayMs(config);
  await queues.add('sweep', [{ data: { from_start: true }, key: 'recovery', delayMs }]);
}

function recoveryDelayMs({ DELIVERY_ACK_DEADLINE_MS }: JobContext['config']): number {
  return 2 * DELIVERY_ACK_DEADLINE_MS;
}

/**
 * Stores its place after every page, so a failure costs one page. A page that takes too long is tried again with
 * fewer groups: one group is always possible.
 *
 * @returns the place reached, or undefined when another run has moved it: of two runs at once, which a frozen core
 *   can cause, the later one stops
 */
async function walk(context: JobContext, from: SweepPlace): Promise<SweepPlace | undefined> {
  const { clock, config, db, keys, redis } = context;
  let place = from;
  let pageMax = groupsPerPage;
  for (let left = config.SWEEP_GROUPS_PER_RUN; left > 0; ) {
    const limit = Math.min(left, pageMax);
    const page = await checkPage(context, place.after_group_id, limit);
    if (!page) {
      pageMax = Math.ceil(limit / 2);
      continue;
    }
    const isEnd = page.groups < limit;
    const next = isEnd
      ? { ...place, after_group_id: 0, is_catching_up: false }
      : { ...place, after_group_id: page.through_group_id };
    if (!(await moveSweep(db, next))) return undefined;
    place = { ...next, revision: place.revision + 1 };
    if (isEnd) {
      // For a metric alone.
      await redis.set(keys.sweepEnded, Math.round(clock.now())).catch(() => {});
      return place;
    }
    left -= limit;
  }
  return place;
}

/**
 * Checks the next groups.
 *
 * @returns undefined if so many groups take too long
 * @throws every other error
 */
async function checkPage(context: JobContext, after_group_id: number, limit: number) {
  const { config, db, jobMetrics, replica } = context;
  const question = { after_group_id, limit, deadlineMs: config.DELIVERY_ACK_DEADLINE_MS };
  try {
    const page = await (replica ? replica.sweep(question) : sweepGroups(db, question));
    await publishChecks(context, page.overdue);
    jobMetrics.deliveryChecks.inc({ by: 'sweep' }, page.overdue.length);
    jobMetrics.groupsSwept.inc(page.groups);
    return page;
  } catch (error) {
    if (limit > 1 && isInfrastructureError(error)) return undefined;
    throw error;
  }
}
