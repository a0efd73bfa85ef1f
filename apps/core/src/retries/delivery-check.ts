import { setTimeout as pause } from 'node:timers/promises';
import { deliveryChecks } from '@hooligram/db';
import { z } from 'zod';
import type { JobContext, JobType } from './job-context.ts';
import { publishChecks } from './publish-checks.ts';

/** So many are checked with one statement, and published with one write: a few milliseconds of a core. */
const groupsPerPortion = 200;
/** So many when the checks are late. */
const groupsPerLatePortion = 500;
/** A bucket that begins so late has another one behind it. */
const lateMs = 500;

const pauseMaxMs = 500;

/** The moment until which the groups are due: milliseconds since the epoch by Redis's clock. */
const schema = z.object({ bucket: z.int().positive() });

/**
 * Checks all groups that are due: publishes the last seq and version of each. A gateway that missed a message fetches
 * it, and a gateway with users who have not acknowledged in time reports them. What is too young to be due gets the
 * next check. Users who are overdue are left to their redeliveries, so the checks of a quiet group end.
 *
 * Between two portions the job rests as long as one took: messages do not wait for what is due at one moment. When it is
 * late it does not rest, and takes more at once: most of a portion's time are its ways to the stores, and what is late would
 * only become later.
 */
export const deliveryCheckJob: JobType<z.infer<typeof schema>> = {
  name: 'delivery-check',
  schema,
  concurrency: 1,
  async handle(context, { bucket }) {
    const { clock, dueGroups } = context;
    // BullMQ goes by the clock of this machine.
    if (clock.now() < bucket) await pause(Math.min(pauseMaxMs, bucket - clock.now() + 1));
    const begunAt = clock.now();
    // Until its moment the job stands: cores rely on it.
    if (begunAt < bucket) return { outcome: 'again', afterMs: Math.ceil(bucket - begunAt), data: { bucket } };
    const job = String(bucket);
    for (;;) {
      const startedAt = performance.now();
      const isLate = clock.now() - bucket > lateMs;
      const portion = isLate ? groupsPerLatePortion : groupsPerPortion;
      const groupIds = await dueGroups.take(job, begunAt, portion);
      if (groupIds.length === 0) return { outcome: 'done' };
      await check(context, groupIds);
      await dueGroups.finish(job, groupIds);
      if (!isLate) await pause(Math.min(pauseMaxMs, performance.now() - startedAt));
    }
  },
};

/** @throws if not every check was published, or not every next one scheduled */
async function check(context: JobContext, groupIds: readonly number[]): Promise<void> {
  const { config, db, jobMetrics } = context;
  const checks = await deliveryChecks(db, groupIds, config.DELIVERY_ACK_DEADLINE_MS);
  for (const found of checks) {
    const isYoung = found.last_seq > found.due_seq || found.version > found.due_version;
    if (isYoung) context.deliveryChecks.scheduleNext(found.group_id);
  }
  await publishChecks(context, checks);
  await context.deliveryChecks.settled();
  jobMetrics.deliveryChecks.inc({ by: 'job' }, checks.length);
}
