import type { CoreRequest, Outcome } from '@hooligram/contract';
import { isInfrastructureError } from '@hooligram/db';
import type { Context } from '../context.ts';
import { recoverGroupChanges } from '../publishing/recover-group-changes.ts';
import { recoverMessages } from '../publishing/recover-messages.ts';
import { cursorRaiseHandler } from '../requests/cursor-raise.ts';
import { overdueReportHandler } from '../requests/overdue-report.ts';

/**
 * Publishes and answers again what an earlier run of these requests did: its core may have ended between the commit and
 * the publication. No request is begun. A request that cannot even be looked up, for a reason of its own, had no
 * effect, and does not harm the others.
 *
 * @returns one outcome per request; undefined for those that had no effect, or need no answer any more
 * @throws outages of the database
 */
export async function recover(
  context: Context,
  requests: readonly CoreRequest[],
): Promise<(Outcome | undefined)[]> {
  try {
    return await recoverAll(context, requests);
  } catch (error) {
    if (isInfrastructureError(error)) throw error;
    context.log.error({ requests: requests.length, err: error }, 'recovery failed');
  }
  if (requests.length === 1) return [undefined];
  const outcomes: (Outcome | undefined)[] = [];
  for (const request of requests) outcomes.push(...(await recover(context, [request])));
  return outcomes;
}

async function recoverAll(
  context: Context,
  requests: readonly CoreRequest[],
): Promise<(Outcome | undefined)[]> {
  const outcomes = new Map<CoreRequest, Outcome>();
  await recoverMessages(context, requests, outcomes);
  await recoverGroupChanges(context, requests, outcomes);
  // These two may be done at any time.
  const cursors = requests.filter((request) => request.type === 'CURSOR_RAISE');
  if (cursors.length > 0) await cursorRaiseHandler.handle(context, cursors);
  const reports = requests.filter((request) => request.type === 'OVERDUE_REPORT');
  if (reports.length > 0) await overdueReportHandler.handle(context, reports);
  return requests.map((request) => outcomes.get(request));
}
