import type { StoredCursor } from '@hooligram/contract';
import { overdueReport, readCursors } from '@hooligram/db';
import type { Context } from '../context.ts';
import { type Handler, type HandlerRequest, refusal, success } from './handler.ts';

/**
 * Begins redelivery to users who have not acknowledged in time: one job per user, unless there is one already. A user
 * who has acknowledged on another gateway, or was sent a state often enough, gets none. The gateway receives what is
 * stored for that user: it counts the same messages as acknowledged then, and sends nothing more. A gateway whose
 * report fails reports again.
 */
export const overdueReportHandler: Handler<'OVERDUE_REPORT'> = {
  batchMax: 16,
  concurrency: 1,
  async handle(context, batch) {
    const { config, db, startRedeliveries } = context;
    const userIds = [...new Set(batch.flatMap(({ params }) => params.user_ids))];
    const reports = await overdueReport(db, userIds, config.DELIVERY_ACK_DEADLINE_MS);
    const overdue = userIds.filter((_, index) => {
      const report = reports[index];
      return report && report.messages.groups.length + report.states.groups.length > 0;
    });
    const outcomes = await outcomesOf(context, batch, new Set(overdue));
    if (overdue.length === 0) return outcomes;
    const failed = new Set(await startRedeliveries(overdue));
    if (failed.size === 0) return outcomes;
    return batch.map(({ params }, index) =>
      params.user_ids.some((id) => failed.has(id)) ? refusal('serverBusy') : outcomes[index],
    );
  },
};

/** The cursors are read after the report, so they are at least as new. */
async function outcomesOf(
  { db }: Context,
  batch: readonly HandlerRequest<'OVERDUE_REPORT'>[],
  overdue: ReadonlySet<number>,
): Promise<{ ok: true; answer: { cursors?: StoredCursor[] } }[]> {
  const owed = batch.map(({ params }) => (params.owed ?? []).filter(([userId]) => !overdue.has(userId)));
  const stored = await readCursors(db, owed.flat());
  const byKey = new Map(stored.map((cursor) => [keyOf(cursor.user_id, cursor.group_id), cursor]));
  return owed.map((pairs) =>
    success({
      cursors: pairs.flatMap(([userId, groupId]) => byKey.get(keyOf(userId, groupId)) ?? []),
    }),
  );
}

const keyOf = (userId: number, groupId: number) => `${userId} ${groupId}`;
