import { encodeDeliveryCheck } from '@hooligram/contract';
import { deliveryCheck } from '@hooligram/db';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { done, type Kind } from './job-type.ts';

/**
 * Tells the gateways how far a group is: who missed something fetches it, and who holds people that have not
 * acknowledged in time reports them. What is too young to be due gets the next audit; people who lag are the
 * business of their redeliveries, so that the audits of a quiet group end.
 */
export const audit = {
  name: 'audit',
  schema: z.object({ group_id: z.int().positive() }),
  concurrency: 16,
  async handle({ config, db, redis, names, queues, jobMetrics }: Context, { group_id }) {
    const deadlineMs = config.DELIVERY_ACK_DEADLINE_MS;
    const found = await deliveryCheck(db, group_id, deadlineMs);
    if (!found) return done;
    if (found.last_seq > found.due_seq || found.version > found.due_version) {
      // This one still runs, so the next one begins behind its end.
      await queues.add('audit', [{ data: { group_id }, key: String(group_id), delayMs: deadlineMs }]);
      jobMetrics.jobFollows('audit');
    }
    await redis.publish(names.group(group_id), encodeDeliveryCheck(found));
    jobMetrics.audited('audit');
    return done;
  },
  replayed: ({ group_id }) => ({ data: { group_id }, key: String(group_id) }),
} satisfies Kind<{ group_id: number }>;
