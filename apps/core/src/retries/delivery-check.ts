import { encodeDeliveryCheck } from '@hooligram/contract';
import { deliveryCheck } from '@hooligram/db';
import { z } from 'zod';
import type { JobType } from './job-context.ts';

/**
 * Publishes the last seq and version of a group: a gateway that missed a message fetches it, and a gateway with users
 * who have not acknowledged in time reports them. What is too young to be due gets the next check. Users who are
 * overdue are left to their redeliveries, so the checks of a quiet group end.
 */
export const deliveryCheckJob: JobType<{ group_id: number }> = {
  name: 'delivery-check',
  schema: z.object({ group_id: z.int().positive() }),
  concurrency: 16,
  async handle({ config, db, redis, names, queues, jobMetrics }, { group_id }) {
    const deadlineMs = config.DELIVERY_ACK_DEADLINE_MS;
    const check = await deliveryCheck(db, group_id, deadlineMs);
    if (!check) return { outcome: 'done' };
    if (check.last_seq > check.due_seq || check.version > check.due_version) {
      // This job still runs, so the next one begins after its end.
      await queues.add('delivery-check', [
        { data: { group_id }, key: String(group_id), delayMs: deadlineMs },
      ]);
      jobMetrics.jobsAdded.inc({ queue: 'delivery-check' });
    }
    await redis.publish(names.group(group_id), encodeDeliveryCheck(check));
    jobMetrics.deliveryChecks.inc({ by: 'job' });
    return { outcome: 'done' };
  },
  replayed: ({ group_id }) => ({ data: { group_id }, key: String(group_id) }),
};
