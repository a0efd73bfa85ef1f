import type { StoredCursor } from '@hooligram/contract';
import { overdueReport, readCursors } from '@hooligram/db';
import type { Context } from '../context.ts';
import { type Asked, type Handler, refusal, success } from './handler.ts';

/**
 * Begins redelivery to people who have not acknowledged in time: one job a person, unless there is one already.
 * Gateways report what they see. Who has acknowledged on another gateway, or was sent a state often enough, is left
 * alone, and the gateway is told what is stored: it counts the same messages as unacknowledged, and sends that person
 * nothing more until it knows better.
 * A gateway that hears of no success reports again.
 */
export const overdueReportHandler: Handler<'OVERDUE_REPORT'> = {
  batchMax: 16,
  concurrency: 1,
  async run(context, batch) {
    const { config, db, queues, jobMetrics, log } = context;
    const userIds = [...new Set(batch.flatMap(({ params }) => params.user_ids))];
    const lags = await overdueReport(db, userIds, config.DELIVERY_ACK_DEADLINE_MS);
    const lagging = userIds.filter((_, index) => {
      const lag = lags[index];
      return lag && lag.messages.groups.length + lag.states.groups.length > 0;
    });
    const answers = await answersTo(context, batch, new Set(lagging));
    if (lagging.length === 0) return answers;
    try {
      const additions = lagging.map((user_id) => ({ data: { user_id }, key: String(user_id) }));
      jobMetrics.jobsAdded('redelivery', await queues.add('redelivery', additions));
      return answers;
    } catch (err) {
      log.warn({ err, people: lagging.length }, 'redeliveries could not be added');
      return batch.map(() => refusal('serverBusy'));
    }
  },
};

/** The cursors are read behind the lag: what is not overdue by the one is no older in the other. */
async function answersTo(
  { db }: Context,
  batch: readonly Asked<'OVERDUE_REPORT'>[],
  lagging: ReadonlySet<number>,
): Promise<{ ok: true; answer: { cursors?: StoredCursor[] } }[]> {
  const owed = batch.map(({ params }) => (params.owed ?? []).filter(([userId]) => !lagging.has(userId)));
  const stored = await readCursors(db, owed.flat());
  const byPlace = new Map(stored.map((cursor) => [placeOf(cursor.user_id, cursor.group_id), cursor]));
  return owed.map((pairs) =>
    success({
      cursors: pairs.flatMap(([userId, groupId]) => byPlace.get(placeOf(userId, groupId)) ?? []),
    }),
  );
}

const placeOf = (userId: number, groupId: number) => `${userId} ${groupId}`;
