import { readLag } from '@hooligram/db';
import { type Handler, refusal, success } from './handler.ts';

/**
 * Begins redelivery to people who have not acknowledged in time: one job a person, unless there is one already.
 * Gateways report what they see; who has acknowledged elsewhere, or was sent a state often enough, is left alone.
 * A gateway that hears of no success reports again.
 */
export const lagReport: Handler<'LAG_REPORT'> = {
  batchMax: 16,
  concurrency: 1,
  async run({ config, db, queues, jobMetrics, log }, batch) {
    const userIds = [...new Set(batch.flatMap(({ params }) => params.user_ids))];
    const lags = await readLag(db, userIds, config.DELIVERY_ACK_DEADLINE_MS);
    const lagging = userIds.filter((_, index) => {
      const lag = lags[index];
      return lag && lag.messages.groups.length + lag.states.groups.length > 0;
    });
    if (lagging.length === 0) return batch.map(() => success({}));
    try {
      const additions = lagging.map((user_id) => ({ data: { user_id }, key: String(user_id) }));
      jobMetrics.jobsAdded('redelivery', await queues.add('redelivery', additions));
      return batch.map(() => success({}));
    } catch (err) {
      log.warn({ err, people: lagging.length }, 'redeliveries could not be added');
      return batch.map(() => refusal('serverBusy'));
    }
  },
};
